import Wire

/// Puts the dots into a message that follows DATA, piece by piece, and ends it.
///
/// A CR or LF that stands alone becomes a line ending: a receiver that takes one for a line ending
/// could otherwise be shown the end of the message where we see none.
///
/// RFC 5321 §4.5.2, §2.3.8
struct DotStuffing: Sendable {
    private let message: [UInt8]
    private var position = 0
    private var isAtLineStart = true
    private var holdsCR = false
    private(set) var isFinished = false

    init(_ message: [UInt8]) {
        self.message = message
    }

    /// The next piece, made of at most `size` bytes of the message; nil after the last.
    mutating func next(_ size: Int) -> [UInt8]? {
        guard !isFinished else { return nil }
        let window = message[position..<min(position + size, message.count)]
        position = window.endIndex
        var piece: [UInt8] = []
        piece.reserveCapacity(window.count + window.count / 32 + 8)
        append(window, to: &piece)
        if position == message.count {
            isFinished = true
            if holdsCR { piece.append(.lf) }
            if !isAtLineStart, !holdsCR { piece.appendCRLF() }
            piece.append(".\r\n")
        }
        return piece
    }

    private mutating func append(_ window: ArraySlice<UInt8>, to piece: inout [UInt8]) {
        var rest = window
        while let first = rest.first {
            if holdsCR {
                holdsCR = false
                isAtLineStart = true
                piece.append(.lf)
                if first == .lf {
                    rest = rest.dropFirst()
                    continue
                }
            }
            if isAtLineStart, first == 0x2E { piece.append(0x2E) }
            let lineFeed = rest.firstIndex(ofByte: .lf)
            let line = rest[..<(lineFeed ?? rest.endIndex)]
            if let lone = line.firstIndex(ofByte: .cr) {
                piece += rest[...lone]
                rest = rest[(lone + 1)...]
                // CR LF, the CR at the window's end, or a CR alone: the LF is due in each case.
                holdsCR = true
                isAtLineStart = false
                if lone + 1 == lineFeed {
                    piece.append(.lf)
                    rest = rest.dropFirst()
                    holdsCR = false
                    isAtLineStart = true
                }
            } else {
                piece += line
                isAtLineStart = lineFeed != nil
                if lineFeed != nil { piece.appendCRLF() }
                rest = rest[(line.endIndex + (lineFeed == nil ? 0 : 1))...]
            }
        }
    }
}
