import IMAP
import Store

/// In this room a refusal is a tagged response, not `Net`'s.
typealias Refusal = IMAP.Refusal

extension Refusal {
    /// What a client is told when the store did not do its command.
    ///
    /// The texts of the store are for the log and never travel.
    ///
    /// RFC 5530 §3
    init(_ error: StoreError) {
        switch error {
        case .noSuchMailbox: self.init(.no, .nonExistent, "No such mailbox")
        case .mailboxExists: self.init(.no, .alreadyExists, "Mailbox already exists")
        case .invalidName: self.init(.no, .cannot, "Mailbox name not allowed")
        case .inboxStays: self.init(.no, .cannot, "INBOX cannot be deleted or created")
        case .tooManyMailboxes: self.init(.no, .limit, "Too many mailboxes")
        case .tooManyKeywords: self.init(.no, .limit, "Too many keywords in this mailbox")
        case .uidsExhausted: self.init(.no, .limit, "Mailbox cannot take more messages")
        case .overQuota: self.init(.no, .overQuota, "Quota exceeded")
        case .damaged: self.init(.no, .corruption, "Mailbox is damaged")
        case .unavailable: self.init(.no, .unavailable, "Store not available, try again later")
        case .failed: self.init(.no, .serverBug, "Internal error")
        }
    }

    /// The same for a mailbox that is the target of APPEND, COPY or MOVE: a missing one may be
    /// created by the client.
    ///
    /// RFC 9051 §6.3.12, §6.4.7
    init(target error: StoreError) {
        if case .noSuchMailbox = error {
            self.init(.no, .tryCreate, "No such mailbox")
        } else {
            self.init(error)
        }
    }
}

/// Runs one operation of the store and says its failures in IMAP's words.
func storing<Value>(_ body: () async throws -> Value) async throws(Refusal) -> Value {
    do {
        return try await body()
    } catch {
        throw Refusal(Refusal.storeError(error))
    }
}

/// Runs an operation that puts messages into a mailbox the client has named.
func placing<Value>(_ body: () async throws -> Value) async throws(Refusal) -> Value {
    do {
        return try await body()
    } catch {
        throw Refusal(target: Refusal.storeError(error))
    }
}

extension Refusal {
    /// The store throws nothing else; what is not its own counts as our mistake.
    fileprivate static func storeError(_ error: any Error) -> StoreError {
        error as? StoreError ?? .failed("\(error)")
    }
}
