import Wire

/// The third part of a notification: the message that it speaks of, or its header.
///
/// The whole message comes back only where the client asked for it (RET=FULL), something failed, and
/// it fits; a binary message or one with over-long lines could not be written as it is.
///
/// RFC 3461 §6.2, RFC 6522 §3, RFC 6533 §4
struct ReturnedPart {
    let bytes: ArraySlice<UInt8>
    let isEightBit: Bool
    private let contentType: StaticString

    init(of original: [UInt8], for notification: DeliveryNotification, isGlobal: Bool) {
        let wantsAll =
            notification.action == .failed && notification.message.returnContent == .full
        let isWhole =
            wantsAll && original.count <= NotificationWriter.largestReturned
            && !notification.message.requirements.contains(.binary)
            && Self.hasOnlyOrdinaryLines(original)
        bytes = isWhole ? original[...] : OriginalHeader(original).wholeLines
        isEightBit = bytes.contains { $0 >= 0x80 }
        contentType =
            switch (isWhole, isGlobal) {
            case (true, false): "message/rfc822"
            case (true, true): "message/global"
            case (false, false): "text/rfc822-headers"
            case (false, true): "message/global-headers"
            }
    }

    func write(into output: inout [UInt8]) {
        output.append("Content-Type: ")
        output.append(contentType)
        output.appendCRLF()
        if isEightBit { output.append("Content-Transfer-Encoding: 8bit\r\n") }
        output.appendCRLF()
        output.append(contentsOf: bytes)
    }

    /// No NUL, no line above 998 bytes, CR and LF only together.
    ///
    /// RFC 5321 §4.5.3.1.6
    private static func hasOnlyOrdinaryLines(_ message: [UInt8]) -> Bool {
        var length = 0
        var previous: UInt8 = 0
        for byte in message {
            if byte == 0 || (byte == .lf) != (previous == .cr) { return false }
            length = byte == .lf ? 0 : length + 1
            if length > 999 { return false }
            previous = byte
        }
        return previous != .cr
    }
}

/// The header of a message that a notification speaks of.
struct OriginalHeader {
    private let bytes: ArraySlice<UInt8>

    init(_ message: [UInt8]) {
        var start = message.startIndex
        var end = message.endIndex
        while let lineEnd = message.firstIndex(ofByte: .lf, from: start) {
            let line = message[start..<lineEnd]
            if line.isEmpty || line.elementsEqual(CollectionOfOne(.cr)) {
                end = start
                break
            }
            start = lineEnd + 1
        }
        bytes = message[..<end]
    }

    /// The header's lines with CRLF ends, as many as fit the limit, none of them over-long.
    ///
    /// A field with a line that may not stand in a message is left out from that line on.
    var wholeLines: ArraySlice<UInt8> {
        var result: [UInt8] = []
        var isLeavingOut = false
        for var line in bytes.split(separator: .lf, omittingEmptySubsequences: true) {
            if line.last == .cr { line = line.dropLast() }
            if isLeavingOut, line.first?.isBlank == true { continue }
            isLeavingOut = line.count > 998 || line.contains(.cr) || line.contains(0)
            if isLeavingOut { continue }
            guard result.count + line.count + 2 <= NotificationWriter.largestHeader else { break }
            result.append(contentsOf: line)
            result.appendCRLF()
        }
        return result[...]
    }

    /// The Message-ID with its angle brackets, when it is one that can stand in another header.
    var messageID: ArraySlice<UInt8>? {
        for line in bytes.split(separator: .lf)
        where line.startsIgnoringCase(with: "Message-ID:") {
            let value = line.dropFirst("Message-ID:".utf8.count).trimmed
            let isPlain =
                value.count <= 900 && value.first == 0x3C && value.last == 0x3E
                && value.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            return isPlain ? value : nil
        }
        return nil
    }
}
