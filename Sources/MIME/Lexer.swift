import Wire

/// A reading position in the value of a structured header field.
///
/// CR and LF count as blanks, since a value may still be folded. Every method moves forward or
/// leaves the position where it was, so a parser that calls them in turn takes linear time.
///
/// RFC 5322 §3.2
struct Lexer {
    let bytes: [UInt8]
    var position: Int
    let end: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        let whole = range.clamped(to: 0..<bytes.count)
        position = whole.lowerBound
        end = whole.upperBound
    }

    var isAtEnd: Bool { position >= end }

    var peek: UInt8? { position < end ? bytes[position] : nil }

    mutating func take(_ byte: UInt8) -> Bool {
        guard position < end, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func skipBlanks() {
        while position < end, Self.isBlank(bytes[position]) { position += 1 }
    }

    /// Passes over blanks and comments, and gives the inside of the last comment.
    ///
    /// A comment that is never closed reaches to the end of the value.
    @discardableResult
    mutating func skipBlanksAndComments() -> Range<Int>? {
        var comment: Range<Int>?
        while position < end {
            let byte = bytes[position]
            if Self.isBlank(byte) {
                position += 1
            } else if byte == 0x28 {
                comment = skipComment()
            } else {
                break
            }
        }
        return comment
    }

    private mutating func skipComment() -> Range<Int> {
        position += 1
        let start = position
        var depth = 1
        while position < end {
            switch bytes[position] {
            case 0x28: depth += 1
            case 0x29: depth -= 1
            case .backslash: position += 1
            default: break
            }
            position += 1
            if depth == 0 { return start..<(position - 1) }
        }
        position = end
        return start..<end
    }

    /// Takes the longest run of bytes that satisfy `condition`.
    mutating func take(while condition: (UInt8) -> Bool) -> Range<Int> {
        let start = position
        while position < end, condition(bytes[position]) { position += 1 }
        return start..<position
    }

    /// Appends the content of a quoted string without quotes and escapes.
    ///
    /// The position is at its opening quote. A string that is never closed reaches to the end of
    /// the value.
    mutating func takeQuotedString(into content: inout [UInt8]) {
        position += 1
        while position < end {
            let byte = bytes[position]
            position += 1
            switch byte {
            case .doubleQuote: return
            case .backslash where position < end:
                content.append(bytes[position])
                position += 1
            case .cr, .lf: break
            default: content.append(byte)
            }
        }
    }

    static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == .cr || byte == .lf
    }

    /// `token` characters of RFC 2045 §5.1.
    static func isToken(_ byte: UInt8) -> Bool {
        guard byte > 0x20, byte < 0x7F else { return false }
        switch byte {
        case 0x28, 0x29, 0x3C, 0x3E, 0x40, 0x2C, 0x3B, 0x3A, 0x5C, 0x22, 0x2F, 0x5B, 0x5D, 0x3F,
            0x3D:
            return false
        default: return true
        }
    }

    /// `range` without blanks at either end.
    static func trimmed(_ range: Range<Int>, in bytes: [UInt8]) -> Range<Int> {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high, isBlank(bytes[low]) { low += 1 }
        while high > low, isBlank(bytes[high - 1]) { high -= 1 }
        return low..<high
    }

    /// The bytes of `range` without line breaks and blanks at either end.
    ///
    /// RFC 5322 §2.2.3
    static func unfolded(_ range: Range<Int>, in bytes: [UInt8]) -> [UInt8] {
        let range = trimmed(range, in: bytes)
        let slice = bytes[range]
        guard slice.firstIndex(ofByte: .lf) != nil || slice.firstIndex(ofByte: .cr) != nil else {
            return Array(slice)
        }
        return slice.filter { $0 != .cr && $0 != .lf }
    }
}
