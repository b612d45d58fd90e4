package import Database
package import Mail

/// Where a message's bytes come from; the store's bodies, introduced by `Node`.
package protocol MessageBodies: Sendable {
    /// The whole message as it was accepted, for a notification that returns it.
    func read(_ body: QueuedBody) async throws -> [UInt8]

    /// Says, in the transaction that removes the last recipient, that the queue no longer needs the
    /// body; a mailbox may still.
    func release(_ body: QueuedBody, in transaction: Transaction) throws
}

/// Takes notifications to the reverse-path: into a mailbox of ours or back into the queue.
///
/// `Transfer` conforms.
package protocol NotificationDelivery: Sendable {
    /// Finds out where the notification goes and readies it, outside any transaction.
    ///
    /// When it throws, the recipient keeps its state and the notification is tried again later. An
    /// address that cannot be reached at all is no failure: the deposit then writes nothing.
    func prepare(_ notification: OutgoingNotification) async throws -> NotificationDeposit
}

/// A notification on its way; its own reverse-path is null, and nobody is notified about it.
package struct OutgoingNotification: Sendable {
    package let reversePath: EmailAddress
    package let written: WrittenNotification
    /// The queue id of the message that it speaks of, for the journal.
    package let queueID: String

    package init(reversePath: EmailAddress, written: WrittenNotification, queueID: String) {
        self.reversePath = reversePath
        self.written = written
        self.queueID = queueID
    }
}

/// Writes a prepared notification in the transaction that closes the matter it speaks of, so that
/// it is neither lost nor doubled.
package struct NotificationDeposit: Sendable {
    /// The lane that the write wants, as the account of the mailbox; nil when it does not matter.
    package let lane: Int64?
    /// May run more than once before the commit that counts.
    package let write: @Sendable (Transaction) throws -> Void

    package init(lane: Int64? = nil, write: @escaping @Sendable (Transaction) throws -> Void) {
        self.lane = lane
        self.write = write
    }
}
