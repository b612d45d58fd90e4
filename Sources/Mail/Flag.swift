import Wire

/// A message flag: one of the five system flags of IMAP or a keyword.
///
/// `\Recent` is not among them: it belongs to a session and IMAP4rev2 has dropped it.
///
/// RFC 9051 §2.3.2
package enum Flag: Hashable, Sendable {
    case seen, answered, flagged, deleted, draft
    case keyword(Keyword)

    /// The flag as IMAP writes it.
    package var name: String {
        switch self {
        case .seen: "\\Seen"
        case .answered: "\\Answered"
        case .flagged: "\\Flagged"
        case .deleted: "\\Deleted"
        case .draft: "\\Draft"
        case .keyword(let keyword): keyword.name
        }
    }
}

/// A keyword: an atom compared without case, kept in the spelling of its first use.
///
/// RFC 9051 §2.3.2
package struct Keyword: Sendable {
    package let name: String

    /// Nil when `name` is empty, longer than `Keyword.maximumLength` or not an IMAP atom.
    package init?(_ name: String) {
        guard !name.isEmpty, name.utf8.count <= Self.maximumLength,
            name.utf8.allSatisfy(Self.isAtomByte)
        else { return nil }
        self.name = name
    }

    package static let maximumLength = 100

    // ATOM-CHAR of RFC 9051 §9: no control, space, parenthesis, brace, wildcard, quote or bracket.
    private static func isAtomByte(_ byte: UInt8) -> Bool {
        guard byte > 0x20, byte < 0x7F else { return false }
        switch byte {
        case 0x28, 0x29, 0x7B, 0x25, 0x2A, 0x22, 0x5C, 0x5D: return false
        default: return true
        }
    }
}

extension Keyword: Hashable {
    package static func == (a: Keyword, b: Keyword) -> Bool {
        a.name.utf8.count == b.name.utf8.count
            && zip(a.name.utf8, b.name.utf8).allSatisfy { $0.lowercased == $1.lowercased }
    }

    package func hash(into hasher: inout Hasher) {
        for byte in name.utf8 { hasher.combine(byte.lowercased) }
    }
}
