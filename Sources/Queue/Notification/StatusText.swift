import Wire

/// Text that comes from peers and clients, made fit for a status field.
enum StatusText {
    /// Longest value that is copied, in Unicode scalars.
    static let longest = 1_000

    /// `text` without control characters; what is not ASCII becomes `?` unless UTF-8 may stand.
    static func printable(_ text: String, keepingUTF8: Bool) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(longest) {
            switch scalar.value {
            case 0x20...0x7E: result.append(scalar)
            case ..<0x20, 0x7F...0x9F: result.append(" ")
            default: result.append(keepingUTF8 ? scalar : "?")
            }
        }
        return String(result)
    }

    /// An ORCPT value as `type; address`.
    ///
    /// An address of type utf-8 is written in the 7-bit form `\x{…}` where UTF-8 may not stand.
    ///
    /// RFC 3464 §2.3.1, RFC 6533 §3
    static func typedAddress(_ value: String, keepingUTF8: Bool) -> String {
        guard let mark = value.firstIndex(of: ";") else {
            return "rfc822; " + printable(value, keepingUTF8: keepingUTF8)
        }
        let type = value[..<mark]
        let address = value[value.index(after: mark)...]
        var text = ""
        for scalar in address.unicodeScalars.prefix(longest) {
            if scalar.value < 0x80 || keepingUTF8 {
                text.unicodeScalars.append(scalar)
            } else {
                text += "\\x{\(String(scalar.value, radix: 16, uppercase: true))}"
            }
        }
        let shown = printable(text, keepingUTF8: keepingUTF8)
        return "\(printable(String(type), keepingUTF8: false)); \(shown)"
    }

    /// Appends `text`, folded at blanks to lines of at most 76 bytes where it can be.
    static func appendFolded(_ text: String, after used: Int, into bytes: inout [UInt8]) {
        var column = used
        for (index, word) in text.utf8.split(separator: 0x20).enumerated() {
            if index > 0 {
                if column + word.count + 1 > 76 {
                    bytes.append("\r\n")
                    column = 0
                }
                bytes.append(.space)
                column += 1
            }
            // A word longer than a line may be is cut into lines.
            var rest = Array(word)[...]
            while rest.count > 900 {
                bytes.append(contentsOf: rest.prefix(900))
                bytes.append("\r\n ")
                rest = rest.dropFirst(900)
                column = 1
            }
            bytes.append(contentsOf: rest)
            column += rest.count
        }
    }
}

/// Sixteen hexadecimal digits.
enum Hexadecimal {
    static func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

/// Header text that is not ASCII, as encoded words.
///
/// RFC 2047 §2, §4.1
enum EncodedWords {
    /// Appends `text` in words of at most 75 bytes, one a line; ASCII stands as it is.
    static func append(_ text: String, after used: Int, into bytes: inout [UInt8]) {
        guard !text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            bytes.append(text: text)
            return
        }
        let room = 75 - "=?utf-8?b??=".utf8.count
        var piece: [UInt8] = []
        var isFirst = true
        func finish() {
            if !isFirst { bytes.append("\r\n ") }
            isFirst = false
            bytes.append("=?utf-8?b?")
            bytes.append(contentsOf: Base64.encode(piece))
            bytes.append("?=")
            piece = []
        }
        for scalar in text.unicodeScalars {
            let encoded = Array(String(scalar).utf8)
            // The first word shares its line with the field's name.
            let limit = isFirst ? min(room, 76 - used - 12) : room
            if (piece.count + encoded.count + 2) / 3 * 4 > limit { finish() }
            piece.append(contentsOf: encoded)
        }
        if !piece.isEmpty { finish() }
    }
}
