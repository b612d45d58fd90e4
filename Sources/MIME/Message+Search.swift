import Wire

extension Message {
    /// Where SEARCH looks.
    ///
    /// RFC 9051 §6.4.4
    package enum SearchScope: Hashable, Sendable {
        /// The text parts.
        case body
        /// The header and the text parts.
        case text
    }

    /// True when the decoded text holds the pattern: headers with their encoded-words, text parts
    /// through transfer encoding and charset, HTML both with and without its markup.
    ///
    /// RFC 9051 §6.4.4: `BODY`, `TEXT`
    package func contains(_ pattern: SearchPattern, in scope: SearchScope) -> Bool {
        for (index, part) in parts.enumerated() {
            if index > 0 || scope == .text, headerContains(pattern, part: part) { return true }
            guard case .leaf = part.content, part.mediaType.isText else { continue }
            guard let text = decodedText(of: part) else { continue }
            if pattern.matches(text[...]) { return true }
            if part.mediaType.subtype == "HTML",
                pattern.matches(HTMLText.plain(text[...])[...])
            {
                return true
            }
        }
        return false
    }

    /// True when a field of the message's header with this name holds the pattern.
    ///
    /// RFC 9051 §6.4.4: `HEADER`
    package func headerContains(_ pattern: SearchPattern, named name: String) -> Bool {
        let wanted = name.utf8.map(\.lowercased)
        return HeaderFields(in: bytes, range: root.header).contains { field in
            field.name.count == wanted.count
                && zip(bytes[field.name], wanted).allSatisfy { $0.lowercased == $1 }
                && pattern.matches(EncodedWord.utf8(bytes[field.value])[...])
        }
    }

    /// The first field of the message's header with this name, decoded; nil when there is none.
    package func decodedField(named name: String) -> String? {
        let wanted = name.utf8.map(\.lowercased)
        for field in HeaderFields(in: bytes, range: root.header)
        where bytes[field.name].map(\.lowercased) == wanted {
            return EncodedWord.decode(bytes[field.value][...].trimmed)
        }
        return nil
    }

    /// A text part in UTF-8, from at most `limit` bytes of its encoded body; nil when its transfer
    /// encoding is not known.
    package func decodedText(of part: Part, limit: Int = .max) -> [UInt8]? {
        let body = bytes[part.body].prefix(limit)
        guard let decoded = part.encoding.decode(body) else { return nil }
        let charset = part.mediaType.parameters.raw("CHARSET") ?? []
        return Charset(charset[...].trimmed).utf8(decoded[...])
    }

    private func headerContains(_ pattern: SearchPattern, part: Part) -> Bool {
        for field in HeaderFields(in: bytes, range: part.header) {
            var line = Array(bytes[field.name])
            line.append(": ")
            line.append(contentsOf: EncodedWord.utf8(bytes[field.value][...].trimmed))
            if pattern.matches(line[...]) { return true }
        }
        return false
    }
}
