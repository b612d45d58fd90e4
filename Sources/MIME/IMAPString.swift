import Wire

extension Array<UInt8> {
    /// Appends a string of IMAP: quoted where it may be, else a literal.
    ///
    /// Line breaks go, as they do when a field is unfolded; so does NUL, which no string may hold.
    /// Octets above 127 need a literal, since a quoted string may hold them only where the client
    /// has asked for UTF-8.
    ///
    /// RFC 9051 §4.3
    mutating func append(imapString text: ArraySlice<UInt8>) {
        let mark = count
        append(.doubleQuote)
        for byte in text {
            if byte < 0x20 || byte >= 0x7F || byte == .doubleQuote || byte == .backslash {
                removeLast(count - mark)
                return append(uglyString: text)
            }
            append(byte)
        }
        append(.doubleQuote)
    }

    /// Appends a string of IMAP, or NIL.
    mutating func append(imapOptional text: [UInt8]?) {
        guard let text else { return append("NIL") }
        append(imapString: text[...])
    }

    /// Appends text that is known to be printable ASCII, quoted.
    mutating func append(imapQuoted text: String) {
        append(imapString: ArraySlice(text.utf8))
    }

    private mutating func append(uglyString text: ArraySlice<UInt8>) {
        let clean = text.filter { $0 != 0 && $0 != .cr && $0 != .lf }
        if clean.allSatisfy({ $0 < 0x80 }) {
            append(.doubleQuote)
            for byte in clean {
                if byte == .doubleQuote || byte == .backslash { append(.backslash) }
                append(byte)
            }
            append(.doubleQuote)
        } else {
            append(0x7B)
            append(decimal: clean.count)
            append("}\r\n")
            append(contentsOf: clean)
        }
    }
}
