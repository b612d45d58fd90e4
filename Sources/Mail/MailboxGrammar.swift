import Wire

/// The pieces of the `Mailbox` production.
///
/// RFC 5321 §4.1.2, RFC 6531 §3.3
enum MailboxGrammar {
    /// Takes a dot-string or a quoted-string and returns what it means, never empty.
    static func localPart(_ cursor: inout Cursor) -> String? {
        if cursor.peek == .doubleQuote { return quotedString(&cursor) }
        let word = cursor.take { isAtext($0) || $0 == dot }
        guard isDotString(word) else { return nil }
        return String(utf8: word)
    }

    /// True when `bytes` are a domain name or an IPv4 or IPv6 literal in brackets.
    static func isDomain(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count <= 255 else { return false }
        if bytes.first == 0x5B {
            guard bytes.count > 2, bytes.last == 0x5D else { return false }
            return isAddress(bytes.dropFirst().dropLast())
        }
        guard String(utf8: bytes) != nil, !hasC1Control(bytes) else { return false }
        return bytes.split(separator: dot, omittingEmptySubsequences: false)
            .allSatisfy(isSubdomain)
    }

    /// True when `text`, in quotes where it needs them, is a local part.
    static func isQuotable(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { !$0.isControl }
            && !hasC1Control([UInt8](text.utf8)[...])
    }

    /// The local part as a dot-string, or else as a quoted-string.
    static func quoted(_ text: String) -> String {
        if isDotString([UInt8](text.utf8)[...]) { return text }
        var bytes: [UInt8] = [.doubleQuote]
        for byte in text.utf8 {
            if byte == .doubleQuote || byte == .backslash { bytes.append(.backslash) }
            bytes.append(byte)
        }
        bytes.append(.doubleQuote)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let dot: UInt8 = 0x2E
    private static let colon: UInt8 = 0x3A

    private static func isAtext(_ byte: UInt8) -> Bool {
        if byte.isAlpha || byte.isDigit || byte >= 0x80 { return true }
        switch byte {
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2F, 0x3D, 0x3F, 0x5E...0x60, 0x7B...0x7E:
            return true
        default: return false
        }
    }

    private static func isDotString(_ bytes: ArraySlice<UInt8>) -> Bool {
        !hasC1Control(bytes)
            && bytes.split(separator: dot, omittingEmptySubsequences: false)
                .allSatisfy { !$0.isEmpty && $0.allSatisfy(isAtext) }
    }

    // U+0080 to U+009F: UTF8-non-ascii has them, but nothing good comes of them.
    private static func hasC1Control(_ bytes: ArraySlice<UInt8>) -> Bool {
        zip(bytes, bytes.dropFirst()).contains { $0 == 0xC2 && $1 < 0xA0 }
    }

    private static func quotedString(_ cursor: inout Cursor) -> String? {
        guard cursor.take(.doubleQuote) else { return nil }
        var content: [UInt8] = []
        while let byte = cursor.next() {
            switch byte {
            case .doubleQuote:
                guard !content.isEmpty, !hasC1Control(content[...]) else { return nil }
                return String(utf8: content)
            case .backslash:
                guard let escaped = cursor.next(), (0x20...0x7E).contains(escaped) else {
                    return nil
                }
                content.append(escaped)
            default:
                guard !byte.isControl else { return nil }
                content.append(byte)
            }
        }
        return nil
    }

    private static func isSubdomain(_ label: ArraySlice<UInt8>) -> Bool {
        guard let first = label.first, let last = label.last, label.count <= 63 else {
            return false
        }
        return isLetterOrDigit(first) && isLetterOrDigit(last)
            && label.allSatisfy { isLetterOrDigit($0) || $0 == 0x2D }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        byte.isAlpha || byte.isDigit || byte >= 0x80
    }

    private static func isAddress(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.startsIgnoringCase(with: "IPv6:") else { return isIPv4(bytes) }
        return isIPv6(bytes.dropFirst(5))
    }

    private static func isIPv4(_ bytes: ArraySlice<UInt8>) -> Bool {
        let octets = bytes.split(separator: dot, omittingEmptySubsequences: false)
        return octets.count == 4
            && octets.allSatisfy { octet in
                guard (1...3).contains(octet.count), octet.allSatisfy(\.isDigit) else {
                    return false
                }
                return octet.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 255
            }
    }

    // Eight groups, or at most six beside one "::"; an IPv4 address at the end counts as two.
    private static func isIPv6(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let halves = splitAtDoubleColon(bytes) else { return false }
        guard let left = groups(in: halves.0, mayEndInIPv4: halves.1 == nil) else { return false }
        guard let tail = halves.1 else { return left == 8 }
        guard let right = groups(in: tail, mayEndInIPv4: true) else { return false }
        return left + right <= 6
    }

    private static func splitAtDoubleColon(
        _ bytes: ArraySlice<UInt8>
    ) -> (ArraySlice<UInt8>, ArraySlice<UInt8>?)? {
        for i in bytes.indices.dropLast() where bytes[i] == colon && bytes[i + 1] == colon {
            return (bytes[bytes.startIndex..<i], bytes[(i + 2)...])
        }
        return bytes.isEmpty ? nil : (bytes, nil)
    }

    private static func groups(in bytes: ArraySlice<UInt8>, mayEndInIPv4: Bool) -> Int? {
        if bytes.isEmpty { return 0 }
        var pieces = bytes.split(separator: colon, omittingEmptySubsequences: false)
        var count = 0
        if mayEndInIPv4, let last = pieces.last, last.contains(dot) {
            guard isIPv4(last) else { return nil }
            pieces.removeLast()
            count = 2
        }
        guard pieces.allSatisfy({ (1...4).contains($0.count) && $0.allSatisfy(\.isHexDigit) })
        else { return nil }
        return count + pieces.count
    }
}
