package import Mail
import Wire

/// STORE, by sequence number or UID.
///
/// RFC 9051 §6.4.6, RFC 7162 §3.1.3
package struct StoreCommand: Equatable, Sendable {
    package enum Mode: Hashable, Sendable {
        case replace, add, remove
    }

    package let numbering: Numbering
    package let set: SequenceSet
    package let mode: Mode
    /// `.SILENT`: the client does not want the new flags told.
    package let isSilent: Bool
    package let flags: [Flag]
    package let unchangedSince: ModSeq?

    init(parsing parser: inout Parser, _ numbering: Numbering) throws(Refusal) {
        self.numbering = numbering
        set = try parser.spacedSet()
        try parser.space()
        unchangedSince = try parser.unchangedSince()
        if parser.cursor.take(0x2B) {
            mode = .add
        } else {
            mode = parser.take(.hyphen) ? .remove : .replace
        }
        switch try parser.keyword() {
        case "FLAGS": isSilent = false
        case "FLAGS.SILENT": isSilent = true
        default: throw .bad("Unknown STORE item")
        }
        try parser.space()
        if parser.peek == Punctuation.open.rawValue {
            flags = try parser.flagList()
        } else {
            var flags = [try parser.flag()]
            while parser.peek == .space {
                try parser.space()
                if parser.cursor.isAtEnd { break }
                flags.append(try parser.flag())
            }
            self.flags = flags
        }
    }
}

extension Parser {
    /// `(UNCHANGEDSINCE n)` and the space after it.
    fileprivate mutating func unchangedSince() throws(Refusal) -> ModSeq? {
        guard take(.open) else { return nil }
        guard try keyword() == "UNCHANGEDSINCE" else { throw .bad("Unknown STORE modifier") }
        try space()
        let modSeq = try modSeq()
        try expect(.close)
        try space()
        return modSeq
    }
}
