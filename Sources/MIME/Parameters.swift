import Wire

/// One parameter of a Content-Type or Content-Disposition field.
package struct Parameter: Hashable, Sendable {
    /// In upper case; ends in `*` when the value carries its charset and language.
    package let name: String
    /// Without quotes, its continuations joined, otherwise as it was sent.
    package let value: [UInt8]
}

/// The parameters of a Content-Type or Content-Disposition field, continuations joined.
///
/// RFC 2045 §5.1, RFC 2231 §3, §4
package struct Parameters: Hashable, Sendable {
    package internal(set) var list: [Parameter] = []

    init() {}

    init(_ list: [Parameter]) { self.list = list }

    package var isEmpty: Bool { list.isEmpty }

    /// The value of the parameter whose upper-case name is `name`, as it was sent.
    package func raw(_ name: String) -> [UInt8]? {
        list.first { $0.name == name }?.value
    }

    /// The value as text: charset and percent encoding undone, and encoded-words, which do not
    /// belong here but are common.
    ///
    /// RFC 2231 §4
    package func text(_ name: String) -> String? {
        if let extended = raw(name + "*"), let text = Self.decodeExtended(extended) { return text }
        return raw(name).map { EncodedWord.decode($0[...]) }
    }

    /// Parses from `lexer`'s position, which is before a semicolon or at the end.
    init(_ lexer: inout Lexer, limit: Int) {
        var found: [Piece] = []
        while found.count < limit {
            lexer.skipBlanksAndComments()
            while lexer.take(0x3B) { lexer.skipBlanksAndComments() }
            if lexer.isAtEnd { break }
            guard let piece = Self.piece(&lexer) else { continue }
            found.append(piece)
        }
        self.init(found.contains { $0.section != nil } ? Self.joined(found) : Self.plain(found))
    }

    /// A parameter as it stands, before continuations are joined.
    private struct Piece {
        let name: String
        let section: Int?
        let isExtended: Bool
        let value: [UInt8]
    }

    private static func plain(_ pieces: [Piece]) -> [Parameter] {
        var list: [Parameter] = []
        for piece in pieces {
            let name = piece.isExtended ? piece.name + "*" : piece.name
            if !list.contains(where: { $0.name == name }) {
                list.append(Parameter(name: name, value: piece.value))
            }
        }
        return list
    }

    // Sections count from zero without a gap; what comes after a gap is dropped. The number of
    // pieces is bounded, so the inner searches are too.
    private static func joined(_ pieces: [Piece]) -> [Parameter] {
        var list = plain(pieces.filter { $0.section == nil })
        for first in pieces where first.section == 0 {
            let parts = (0..<pieces.count).lazy.map { section in
                pieces.first { $0.name == first.name && $0.section == section }
            }.prefix { $0 != nil }.compactMap { $0 }
            let isExtended = parts.contains(where: \.isExtended)
            let name = isExtended ? first.name + "*" : first.name
            guard !list.contains(where: { $0.name == name }) else { continue }
            var value: [UInt8] = []
            if isExtended, !first.isExtended { value.append("''") }
            for part in parts {
                if isExtended, !part.isExtended {
                    appendPercentEncoded(part.value, to: &value)
                } else {
                    value.append(contentsOf: part.value)
                }
            }
            list.append(Parameter(name: name, value: value))
        }
        return list
    }

    private static func appendPercentEncoded(_ bytes: [UInt8], to value: inout [UInt8]) {
        for byte in bytes {
            if Lexer.isToken(byte), byte != 0x25, byte != 0x27, byte != 0x2A {
                value.append(byte)
            } else {
                value.append(0x25)
                value.append(Hex.digit(byte >> 4).uppercased)
                value.append(Hex.digit(byte & 0xF).uppercased)
            }
        }
    }

    private static func piece(_ lexer: inout Lexer) -> Piece? {
        let nameRange = lexer.take { Lexer.isToken($0) }
        lexer.skipBlanksAndComments()
        guard !nameRange.isEmpty, lexer.take(0x3D) else {
            // No parameter: go on after the next semicolon.
            _ = lexer.take { $0 != 0x3B }
            return nil
        }
        lexer.skipBlanksAndComments()
        let value = Self.value(&lexer)
        var name = lexer.bytes[nameRange]
        var section: Int?
        let isExtended = name.last == 0x2A
        if isExtended { name = name.dropLast() }
        if let star = name.firstIndex(of: 0x2A) {
            var digits = Cursor(name[(star + 1)...])
            guard let number = digits.takeNumber(Int.self), digits.isAtEnd else { return nil }
            section = number
            name = name[..<star]
        }
        guard !name.isEmpty else { return nil }
        return Piece(
            name: String(decoding: name.lazy.map(\.uppercased), as: UTF8.self),
            section: section,
            isExtended: isExtended,
            value: value
        )
    }

    // A value with characters that wanted quotes is taken up to the semicolon, as file names with
    // spaces are often sent.
    private static func value(_ lexer: inout Lexer) -> [UInt8] {
        if lexer.peek == .doubleQuote {
            var content: [UInt8] = []
            lexer.takeQuotedString(into: &content)
            lexer.skipBlanksAndComments()
            _ = lexer.take { $0 != 0x3B }
            return content
        }
        let token = lexer.take { Lexer.isToken($0) || $0 >= 0x80 }
        lexer.skipBlanksAndComments()
        if lexer.isAtEnd || lexer.peek == 0x3B { return Array(lexer.bytes[token]) }
        let rest = lexer.take { $0 != 0x3B }
        return Lexer.unfolded(token.lowerBound..<rest.upperBound, in: lexer.bytes)
    }

    /// Decodes `charset'language'percent-encoded`; nil when the quotes are missing.
    private static func decodeExtended(_ value: [UInt8]) -> String? {
        guard let first = value.firstIndex(of: 0x27),
            let second = value[(first + 1)...].firstIndex(of: 0x27)
        else { return nil }
        var bytes: [UInt8] = []
        var rest = value[(second + 1)...]
        while let byte = rest.popFirst() {
            if byte == 0x25, let high = rest.first?.hexValue,
                let low = rest.dropFirst().first?.hexValue
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        let charset = value[..<first]
        return Charset(charset.isEmpty ? [UInt8]("utf-8".utf8)[...] : charset).decode(bytes[...])
    }
}
