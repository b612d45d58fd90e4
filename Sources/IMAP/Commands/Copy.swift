/// COPY or MOVE, by sequence number or UID.
///
/// RFC 9051 §6.4.7, §6.4.8
package struct CopyCommand: Equatable, Sendable {
    package let numbering: Numbering
    package let set: SequenceSet
    package let mailbox: MailboxName

    init(parsing parser: inout Parser, _ numbering: Numbering) throws(Refusal) {
        self.numbering = numbering
        set = try parser.spacedSet()
        mailbox = try parser.spacedMailbox()
    }
}
