package import Mail
import Wire

/// Writes the header of a message that we make ourselves.
///
/// Lines are folded before 78 characters where a blank allows it; text that is not ASCII becomes
/// encoded-words, so the header needs neither SMTPUTF8 nor 8BITMIME.
///
/// RFC 5322 §2.1.1, §2.2, RFC 2047 §5
package struct HeaderWriter: Sendable {
    /// The header so far, every line ended by CR LF.
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Writes an unstructured field, as Subject is.
    package mutating func text(_ name: StaticString, _ text: String) {
        field(name, words: Self.words(text))
    }

    /// Writes a field whose value is fit for a header already, folding it at its blanks.
    package mutating func raw(_ name: StaticString, _ value: String) {
        field(name, words: value.split(separator: " ").map(String.init))
    }

    /// Writes a list of mailboxes, each a display name, empty for none, and an address.
    package mutating func mailboxes(
        _ name: StaticString,
        _ list: [(displayName: String, address: EmailAddress)]
    ) {
        var words: [String] = []
        for (index, entry) in list.enumerated() {
            let comma = index + 1 < list.count ? "," : ""
            if entry.displayName.isEmpty {
                words.append("\(entry.address)\(comma)")
            } else {
                words += Self.phrase(entry.displayName)
                words.append("<\(entry.address)>\(comma)")
            }
        }
        field(name, words: words)
    }

    /// Writes a date field.
    package mutating func date(_ name: StaticString, _ date: MailDate) {
        field(name, words: [date.text])
    }

    /// Writes the empty line that ends the header.
    package mutating func end() {
        bytes.appendCRLF()
    }

    /// A display name as words of a phrase: as it is, in quotes, or encoded.
    ///
    /// RFC 5322 §3.2.5
    package static func phrase(_ text: String) -> [String] {
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }), !text.contains("=?") else {
            return EncodedWord.encode(oneLine(text)).split(separator: " ").map(String.init)
        }
        let isAtoms = text.utf8.allSatisfy { Lexer.isToken($0) && $0 != 0x2E || $0 == 0x20 }
        if isAtoms { return text.split(separator: " ").map(String.init) }
        var quoted: [UInt8] = [.doubleQuote]
        for byte in text.utf8 {
            if byte == .doubleQuote || byte == .backslash { quoted.append(.backslash) }
            quoted.append(byte)
        }
        quoted.append(.doubleQuote)
        return [String(decoding: quoted, as: UTF8.self)]
    }

    // Only the words that need it are encoded, with the blanks between them.
    private static func words(_ text: String) -> [String] {
        let words = oneLine(text).split(separator: " ", omittingEmptySubsequences: true)
        func needsEncoding(_ word: Substring) -> Bool {
            word.utf8.contains { $0 >= 0x7F } || word.hasPrefix("=?") || word.utf8.count > 900
        }
        guard let first = words.firstIndex(where: needsEncoding),
            let last = words.lastIndex(where: needsEncoding)
        else { return words.map(String.init) }
        let encoded = EncodedWord.encode(words[first...last].joined(separator: " "))
        return words[..<first].map(String.init)
            + encoded.split(separator: " ").map(String.init)
            + words[(last + 1)...].map(String.init)
    }

    // No line break of ours or of anyone's data may start a new field.
    private static func oneLine(_ text: String) -> String {
        String(
            decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7F ? UInt8.space : $0 },
            as: UTF8.self
        )
    }

    private mutating func field(_ name: StaticString, words: [String]) {
        bytes.append(name)
        bytes.append(0x3A)
        var column = name.utf8CodeUnitCount + 1
        for (index, word) in words.enumerated() {
            let clean = Self.oneLine(word)
            if column + clean.utf8.count + 1 > 78, index > 0 {
                bytes.appendCRLF()
                column = 0
            }
            bytes.append(.space)
            bytes.append(text: clean)
            column += clean.utf8.count + 1
        }
        bytes.appendCRLF()
    }
}
