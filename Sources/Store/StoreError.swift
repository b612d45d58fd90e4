package import Mail

/// Why the store did not do what it was asked.
///
/// Each door says it in its own protocol's words; the texts are for the log.
package enum StoreError: Error, Equatable {
    /// No such mailbox, or none that this agent may see: one case, so that no door can tell the
    /// two apart.
    case noSuchMailbox

    case mailboxExists

    /// The name has an empty level, a control character, or is too long.
    case invalidName

    /// INBOX is neither deleted nor created.
    case inboxStays

    /// The account has `Store.Limits.mailboxesPerAccount` mailboxes.
    case tooManyMailboxes

    /// The mailbox knows `MessageFlags.maximumKeywords` keywords already.
    case tooManyKeywords

    /// The mailbox has given out every UID below 2^32 - 1.
    case uidsExhausted

    case overQuota(AccountID)

    /// A body that a message row names cannot be read back, or a state chunk cannot be decoded.
    case damaged(String)

    /// Nothing the client did: the database or the blobs are away; a later try may succeed. A write
    /// may have become durable all the same.
    case unavailable(String)

    /// Our mistake: a statement failed that should not.
    case failed(String)
}
