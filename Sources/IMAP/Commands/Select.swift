package import Mail
import Wire

/// SELECT or EXAMINE.
///
/// RFC 9051 §6.3.2, RFC 7162 §3.1.8, §3.2.5
package struct SelectCommand: Equatable, Sendable {
    /// What a client still knows of a mailbox it had open before.
    ///
    /// RFC 7162 §3.2.5
    package struct QuickResync: Equatable, Sendable {
        package let uidValidity: UIDValidity
        package let modSeq: ModSeq
        /// Nil when the client gives none: then all UIDs count as known.
        package var knownUIDs: UIDSet?
        package var match: SequenceMatch?
    }

    /// Pairs of sequence number and UID that held when the client last looked.
    ///
    /// RFC 7162 §3.2.5.2
    package struct SequenceMatch: Equatable, Sendable {
        package let sequenceNumbers: UIDSet
        package let uids: UIDSet
    }

    package let mailbox: MailboxName
    package var condstore = false
    package var quickResync: QuickResync?

    init(parsing parser: inout Parser) throws(Refusal) {
        mailbox = try parser.spacedMailbox()
        guard parser.cursor.take(.space), !parser.cursor.isAtEnd else { return }
        var condstore = false
        var resync: QuickResync?
        try parser.list { (parser) throws(Refusal) in
            switch try parser.keyword() {
            case "CONDSTORE": condstore = true
            case "QRESYNC":
                try parser.space()
                resync = try parser.quickResync()
            default: throw .bad("Unknown SELECT parameter")
            }
        }
        self.condstore = condstore
        quickResync = resync
    }
}

extension Parser {
    fileprivate mutating func quickResync() throws(Refusal) -> SelectCommand.QuickResync {
        try expect(.open)
        let validity = UIDValidity(rawValue: try nonZero())
        try space()
        let modSeq = try modSeq()
        var resync = SelectCommand.QuickResync(uidValidity: validity, modSeq: modSeq)
        guard modSeq.rawValue > 0 else { throw .bad("QRESYNC needs a positive mod-sequence") }
        if peek == .space {
            try space()
            if peek != Punctuation.open.rawValue {
                resync.knownUIDs = try knownSet()
                if peek == .space { try space() }
            }
            if peek == Punctuation.open.rawValue { resync.match = try sequenceMatch() }
        }
        try expect(.close)
        return resync
    }

    private mutating func sequenceMatch() throws(Refusal) -> SelectCommand.SequenceMatch {
        try expect(.open)
        let numbers = try knownSet()
        try space()
        let uids = try knownSet()
        try expect(.close)
        guard numbers.count == uids.count else {
            throw .bad("Sequence numbers and UIDs must pair up")
        }
        return SelectCommand.SequenceMatch(sequenceNumbers: numbers, uids: uids)
    }
}
