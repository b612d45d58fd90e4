import SMTP
import Store

extension Reply {
    /// The only place where a store error becomes an SMTP reply.
    ///
    /// Nothing but a full mailbox is for the sender to know: all else is ours, and passes.
    ///
    /// RFC 5321 §4.2.3, RFC 3463 §3.3
    init(because error: StoreError) {
        self =
            switch error {
            case .overQuota: .mailboxFull
            case .noSuchMailbox, .mailboxExists, .invalidName, .inboxStays, .tooManyMailboxes,
                .tooManyKeywords, .uidsExhausted, .damaged, .unavailable, .failed:
                .localError
            }
    }
}
