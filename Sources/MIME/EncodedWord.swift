import Wire

/// Text in header fields that are ASCII.
///
/// RFC 2047 §2
package enum EncodedWord {
    /// The text of a field's value, unfolded, its encoded-words decoded.
    ///
    /// Blanks between two words are dropped; raw octets above 127 are UTF-8, or else Windows-1252.
    ///
    /// RFC 2047 §6.2
    package static func decode(_ value: ArraySlice<UInt8>) -> String {
        String(decoding: utf8(value), as: UTF8.self)
    }

    /// The same text in UTF-8.
    package static func utf8(_ value: ArraySlice<UInt8>) -> [UInt8] {
        var decoder = Decoder()
        decoder.read(value)
        return decoder.output
    }

    /// Encodes text as words of at most 75 characters, separated by a space.
    ///
    /// Words hold whole characters, so each can be decoded alone.
    ///
    /// RFC 2047 §2, §5
    package static func encode(_ text: String) -> String {
        let isMostlyASCII = text.utf8.filter { $0 >= 0x80 }.count * 3 < text.utf8.count
        var words: [String] = []
        var chunk: [UInt8] = []
        // 75 less "=?UTF-8?X?" and "?=".
        let room = 63
        func length(_ bytes: [UInt8]) -> Int {
            isMostlyASCII
                ? bytes.reduce(0) { $0 + (isPlain($1) || $1 == 0x20 ? 1 : 3) }
                : (bytes.count + 2) / 3 * 4
        }
        func close() {
            guard !chunk.isEmpty else { return }
            let body = isMostlyASCII ? quoted(chunk) : Base64.string(chunk)
            words.append("=?UTF-8?\(isMostlyASCII ? "Q" : "B")?\(body)?=")
            chunk = []
        }
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if length(chunk + bytes) > room { close() }
            chunk += bytes
        }
        close()
        return words.joined(separator: " ")
    }

    private static func quoted(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        for byte in bytes {
            if isPlain(byte) {
                output.append(byte)
            } else if byte == 0x20 {
                output.append(0x5F)
            } else {
                output.append(0x3D)
                output.append(Hex.digit(byte >> 4).uppercased)
                output.append(Hex.digit(byte & 0xF).uppercased)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    // What may stand unencoded even in a phrase.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte.isAlpha || byte.isDigit || byte == 0x21 || byte == 0x2A || byte == 0x2B
            || byte == 0x2D || byte == 0x2F
    }

    /// One encoded-word, decoded but for its charset.
    fileprivate struct Word {
        let charset: ArraySlice<UInt8>
        let content: [UInt8]
        let end: Int
    }

    // No field of a word holds a question mark, so a failed attempt reads up to the next one only
    // and the whole stays linear.
    fileprivate static func word(in value: ArraySlice<UInt8>, at start: Int) -> Word? {
        var cursor = Cursor(value[start...])
        guard cursor.take("=?") else { return nil }
        let label = cursor.take(upTo: 80) { $0 != 0x3F && $0 > 0x20 && $0 < 0x7F }
        guard !label.isEmpty, cursor.take(0x3F), let encoding = cursor.next()?.lowercased,
            encoding == 0x62 || encoding == 0x71, cursor.take(0x3F)
        else { return nil }
        let text = cursor.take { $0 != 0x3F }
        guard cursor.take("?=") else { return nil }
        let charset = label.prefix { $0 != 0x2A }
        let content = encoding == 0x62 ? Base64.decodeLeniently(text) : decodeQ(text)
        return Word(charset: charset, content: content, end: cursor.position)
    }

    private static func decodeQ(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var rest = text
        while let byte = rest.popFirst() {
            if byte == 0x5F {
                output.append(0x20)
            } else if byte == 0x3D, let high = rest.first?.hexValue,
                let low = rest.dropFirst().first?.hexValue
            {
                output.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                output.append(byte)
            }
        }
        return output
    }
}

/// Gathers words of one charset before decoding them, since senders split characters.
private struct Decoder {
    var output: [UInt8] = []
    private var pending: [UInt8] = []
    private var charset: ArraySlice<UInt8>?
    /// Blanks after a word, kept until something follows: text keeps them, a word drops them.
    private var blanks: ArraySlice<UInt8> = []

    mutating func read(_ value: ArraySlice<UInt8>) {
        output.reserveCapacity(value.count)
        var i = value.startIndex
        while i < value.endIndex {
            guard let mark = value.firstIndex(ofByte: 0x3D, from: i) else {
                text(value[i...])
                break
            }
            if let word = EncodedWord.word(in: value, at: mark) {
                text(value[i..<mark])
                append(word)
                i = word.end
            } else {
                text(value[i...mark])
                i = mark + 1
            }
        }
        flush()
    }

    private mutating func append(_ word: EncodedWord.Word) {
        if let charset, !charset.elementsEqual(word.charset) { flush() }
        charset = word.charset
        blanks = []
        pending.append(contentsOf: word.content)
    }

    private mutating func flush() {
        guard let charset else { return }
        output.append(contentsOf: Charset(charset).utf8(pending[...]))
        self.charset = nil
        pending.removeAll(keepingCapacity: true)
    }

    private mutating func text(_ slice: ArraySlice<UInt8>) {
        if slice.isEmpty { return }
        if charset != nil {
            if slice.allSatisfy(Lexer.isBlank) {
                blanks = slice
                return
            }
            flush()
        }
        if !blanks.isEmpty { plain(blanks) }
        plain(slice)
    }

    private mutating func plain(_ slice: ArraySlice<UInt8>) {
        blanks = []
        let clean =
            slice.contains { $0 == .cr || $0 == .lf }
            ? slice.filter { $0 != .cr && $0 != .lf }[...] : slice
        output.append(contentsOf: Charset.utf8.utf8(clean))
    }
}
