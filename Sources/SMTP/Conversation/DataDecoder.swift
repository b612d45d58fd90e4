import Wire

/// Takes the dots out of the message that follows DATA, and finds its end.
///
/// Only CR LF ends a line, so only CR LF "." CR LF ends the message. A CR or LF that stands alone
/// is data like any other; that it was there is remembered, and the message refused at its end.
/// Every octet is looked at by `memchr` and copied once.
///
///     state        octet            next
///     lineStart    "."              dot (octet dropped)
///     lineStart    other            text
///     dot          CR               dotCR (octet held)
///     dot          other            text
///     dotCR        LF               end
///     dotCR        other            text (the held CR is data)
///     text         … CR LF          lineStart
///     text         … CR, no more    textCR
///     textCR       LF               lineStart
///     textCR       other            text
///
/// RFC 5321 §4.1.1.4, §4.5.2
package struct DataDecoder: Sendable {
    private enum State {
        case lineStart, dot, dotCR, text, textCR
    }

    private var state = State.lineStart
    private var lineLength = 0
    private let longestLine: Int
    package private(set) var flaws = MessageFlaws()

    package init(longestLine: Int) {
        self.longestLine = longestLine
    }

    /// Decodes from `start` on into `sink`; returns the index after the end of data, or nil when
    /// all was taken and more must come.
    package mutating func decode(
        _ bytes: [UInt8],
        from start: Int,
        into sink: inout MessageSink
    ) -> Int? {
        bytes.withUnsafeBufferPointer { buffer in
            decode(UnsafeBufferPointer(rebasing: buffer[start...]), into: &sink)
                .map { $0 + start }
        }
    }

    private mutating func decode(
        _ bytes: UnsafeBufferPointer<UInt8>,
        into sink: inout MessageSink
    ) -> Int? {
        let end = bytes.count
        var index = 0
        var runStart = 0
        defer { flaws.noteNull(in: bytes, 0..<index) }
        while index < end {
            switch state {
            case .lineStart:
                lineLength = 0
                if bytes[index] == 0x2E {
                    sink.append(bytes, runStart..<index)
                    index += 1
                    runStart = index
                    state = .dot
                } else {
                    state = .text
                }
            case .dot:
                if bytes[index] == .cr {
                    index += 1
                    runStart = index
                    state = .dotCR
                } else {
                    state = .text
                }
            case .dotCR:
                if bytes[index] == .lf {
                    index += 1
                    return index
                }
                sink.append(.cr)
                flaws.insert(.bareLineEnding)
                state = .text
            case .text:
                index = text(bytes, from: index)
            case .textCR:
                if bytes[index] == .lf {
                    index += 1
                    state = .lineStart
                } else {
                    flaws.insert(.bareLineEnding)
                    state = .text
                }
            }
        }
        sink.append(bytes, runStart..<end)
        return nil
    }

    // Reads to the end of the line, or of what is there; returns the index after it.
    private mutating func text(_ bytes: UnsafeBufferPointer<UInt8>, from index: Int) -> Int {
        let end = bytes.count
        let lineFeed = bytes.firstIndex(ofByte: .lf, in: index..<end)
        let stop = lineFeed ?? end
        var contentEnd = stop
        let endsInCR = stop > index && bytes[stop - 1] == .cr
        if endsInCR {
            contentEnd -= 1
            state = lineFeed == nil ? .textCR : .lineStart
        } else if lineFeed != nil {
            flaws.insert(.bareLineEnding)
        }
        if !flaws.contains(.bareLineEnding),
            bytes.firstIndex(ofByte: .cr, in: index..<contentEnd) != nil
        {
            flaws.insert(.bareLineEnding)
        }
        lineLength += contentEnd - index
        if lineLength > longestLine { flaws.insert(.lineTooLong) }
        return lineFeed.map { $0 + 1 } ?? end
    }
}

/// Watches the octets of BDAT chunks for what a message of lines must not have.
///
/// RFC 3030 §2
struct ChunkChecker {
    private var endsInCR = false
    private(set) var flaws = MessageFlaws()

    mutating func check(_ bytes: UnsafeBufferPointer<UInt8>) {
        flaws.noteNull(in: bytes, 0..<bytes.count)
        guard !flaws.contains(.bareLineEnding), !bytes.isEmpty else { return }
        var index = 0
        if endsInCR {
            guard bytes[0] == .lf else { return flaws.insert(.bareLineEnding) }
            index = 1
            endsInCR = false
        }
        while index < bytes.count {
            let lineFeed = bytes.firstIndex(ofByte: .lf, in: index..<bytes.count)
            var stop = lineFeed ?? bytes.count
            if stop > index, bytes[stop - 1] == .cr {
                stop -= 1
                endsInCR = lineFeed == nil
            } else if lineFeed != nil {
                return flaws.insert(.bareLineEnding)
            }
            if bytes.firstIndex(ofByte: .cr, in: index..<stop) != nil {
                return flaws.insert(.bareLineEnding)
            }
            index = lineFeed.map { $0 + 1 } ?? bytes.count
        }
    }

    /// The message has ended.
    mutating func finish() {
        if endsInCR { flaws.insert(.bareLineEnding) }
    }
}

/// What is wrong with the octets of a message that was read to its end.
package struct MessageFlaws: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let bareLineEnding = MessageFlaws(rawValue: 1)
    package static let null = MessageFlaws(rawValue: 2)
    package static let lineTooLong = MessageFlaws(rawValue: 4)

    fileprivate mutating func noteNull(
        in bytes: UnsafeBufferPointer<UInt8>,
        _ range: Range<Int>
    ) {
        if !contains(.null), bytes.firstIndex(ofByte: 0, in: range) != nil {
            insert(.null)
        }
    }

    fileprivate mutating func insert(_ flaw: MessageFlaws) {
        self = union(flaw)
    }
}

/// Where the octets of a message go, up to a limit; above it they are counted and let go.
package struct MessageSink: Sendable {
    package private(set) var bytes: [UInt8]
    package private(set) var count = 0
    private let limit: Int

    /// - Parameters:
    ///   - prefix: stands before the message and does not count.
    ///   - limit: octets of the message.
    ///   - expected: octets to make room for at once, at most `limit`.
    package init(prefix: [UInt8], limit: Int, expected: Int) {
        bytes = prefix
        self.limit = limit
        bytes.reserveCapacity(prefix.count + min(expected, limit))
    }

    package var isOverLimit: Bool { isAbandoned || count > limit }
    private var isAbandoned = false

    /// Keeps nothing from here on.
    mutating func abandon() {
        isAbandoned = true
        bytes = []
    }

    mutating func append(_ buffer: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        grow(by: range.count)
        if !isOverLimit {
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[range]))
        }
    }

    mutating func append(_ byte: UInt8) {
        grow(by: 1)
        if !isOverLimit { bytes.append(byte) }
    }

    private mutating func grow(by added: Int) {
        count += added
        if isOverLimit, !bytes.isEmpty { bytes = [] }
    }
}
