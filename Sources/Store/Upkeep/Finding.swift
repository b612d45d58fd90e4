package import Mail

/// Something that `Store.check` found wrong.
package enum Finding: Hashable, Sendable {
    /// A counter of the mailbox row is not what its messages say.
    case counter(MailboxID, Counter, stored: Int64, counted: Int64)
    /// The usage kept for quota is not the sum over the account's mailboxes.
    case usage(AccountID, stored: QuotaUsage, counted: QuotaUsage)
    /// Messages that should be there have no row.
    case missingMessages(MailboxID, UIDSet)
    /// A message row outside what the mailbox row allows.
    case strayMessage(MailboxID, UID)
    /// A state chunk that cannot be decoded, or says something about slots that hold no message.
    case stateChunk(MailboxID, chunk: Int, String)
    case keywords(MailboxID)
    /// Rows of a mailbox that does not exist.
    case noMailbox(MailboxID)
    /// A message names a body that has no row.
    case missingBody(MailboxID, UID, BodyID)
    /// The body is there, and its bytes are not those that its hash and sizes promise.
    case damagedBody(BodyID, String)
    /// A sequence is behind the keys that it has given out.
    case sequence(String, stored: Int64, highest: Int64)

    package enum Counter: String, Sendable {
        case messages, unseen, deleted, size
    }
}

extension Finding: CustomStringConvertible {
    /// One line for an operator.
    package var description: String {
        switch self {
        case .counter(let mailbox, let counter, let stored, let counted):
            "mailbox \(mailbox.rawValue): \(counter.rawValue) is \(stored), counted \(counted)"
        case .usage(let account, let stored, let counted):
            "account \(account.rawValue): usage is \(stored.bytes) bytes in \(stored.messages) "
                + "messages, counted \(counted.bytes) in \(counted.messages)"
        case .missingMessages(let mailbox, let uids):
            "mailbox \(mailbox.rawValue): no rows for UIDs \(uids)"
        case .strayMessage(let mailbox, let uid):
            "mailbox \(mailbox.rawValue): UID \(uid.rawValue) or its mod-sequence is out of bounds"
        case .stateChunk(let mailbox, let chunk, let text):
            "mailbox \(mailbox.rawValue): state chunk \(chunk): \(text)"
        case .keywords(let mailbox):
            "mailbox \(mailbox.rawValue): keyword numbers have gaps, or a name is none"
        case .noMailbox(let mailbox):
            "mailbox \(mailbox.rawValue) does not exist but has rows"
        case .missingBody(let mailbox, let uid, let body):
            "mailbox \(mailbox.rawValue): UID \(uid.rawValue) names body \(body.rawValue), "
                + "which is missing or has another size"
        case .damagedBody(let body, let text):
            "body \(body.rawValue): \(text)"
        case .sequence(let name, let stored, let highest):
            "sequence \(name) is \(stored), but \(highest) has been given out"
        }
    }
}
