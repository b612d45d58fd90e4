import Database
package import Directory
package import Journal
import Mail
package import Queue
package import Store
import Wire

/// Takes notifications to the reverse-path: into a mailbox of ours, or into the queue.
///
/// RFC 3461 §5, RFC 5321 §6.1
package struct NotificationRouter: NotificationDelivery {
    private let directory: Directory
    private let store: Store
    private let queue: Queue
    private let journal: Journal
    private let policy: DeliveryPolicy
    private let hostName: String
    /// Unix milliseconds.
    private let clock: @Sendable () -> Int64
    /// That many unpredictable bytes.
    private let random: @Sendable (Int) -> [UInt8]

    package init(
        directory: Directory,
        store: Store,
        queue: Queue,
        journal: Journal,
        policy: DeliveryPolicy,
        hostName: String,
        clock: @escaping @Sendable () -> Int64,
        random: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.directory = directory
        self.store = store
        self.queue = queue
        self.journal = journal
        self.policy = policy
        self.hostName = hostName
        self.clock = clock
        self.random = random
    }

    /// Finds out where the notification goes and readies it, outside any transaction.
    ///
    /// An address of ours that leads nowhere gets nothing: the journal says so, and that is the
    /// end of the matter.
    package func prepare(
        _ notification: OutgoingNotification
    ) async throws -> NotificationDeposit {
        let path = notification.reversePath
        switch try await directory.route(to: path) {
        case .account(let account, _):
            return try await delivery(of: notification, to: account)
        case .relay:
            return try await relay(of: notification)
        case .unknown:
            let event = MailEvent.bounced(
                queueID: notification.queueID,
                forwardPath: path,
                nextHop: hostName,
                status: EnhancedStatus(5, 1, 1),
                reason: "the reverse-path of a notification does not exist"
            )
            return NotificationDeposit { [journal] transaction in
                transaction.afterCommit { journal.record(event) }
            }
        }
    }

    /// Writes and readies a notification that a door sends by itself.
    func deposit(
        _ notification: DeliveryNotification,
        returning original: [UInt8]
    ) async throws -> NotificationDeposit {
        let stamp = NotificationStamp(
            hostName: hostName,
            now: clock(),
            randomness: random(8).reduce(0) { $0 << 8 | UInt64($1) }
        )
        let written = NotificationWriter(notification, stamp: stamp).message(returning: original)
        return try await prepare(
            OutgoingNotification(
                reversePath: notification.reversePath,
                written: written,
                queueID: notification.message.queueID
            )
        )
    }

    // A notification is delivered even to a full mailbox: it is small, and says why mail failed.
    private func delivery(
        of notification: OutgoingNotification,
        to account: Account
    ) async throws -> NotificationDeposit {
        let message = try await store.prepare(
            ReturnPathField.bytes(.null) + notification.written.bytes
        )
        let target = DeliveryTarget(
            account: account.id,
            language: policy.language(of: account)
        )
        return NotificationDeposit(lane: account.id.rawValue) { [store, journal] transaction in
            let outcomes = try store.deliver(message, to: [target], in: transaction)
            guard case .delivered(let delivered) = outcomes.first else { return }
            let event = MailEvent.delivered(
                queueID: notification.queueID,
                forwardPath: notification.reversePath,
                mailbox: "INBOX",
                uid: delivered.uid
            )
            transaction.afterCommit { journal.record(event) }
        }
    }

    private func relay(of notification: OutgoingNotification) async throws -> NotificationDeposit {
        let prepared = try await store.prepare(notification.written.bytes)
        let message = QueuedMessage(
            queueID: QueueID.make(now: clock(), random: random(4)),
            body: QueuedBody(id: prepared.bodyID.rawValue, size: prepared.size),
            reversePath: .null,
            requirements: notification.written.requirements,
            arrival: clock(),
            source: notification.queueID
        )
        let recipient = QueuedRecipient(forwardPath: notification.reversePath, notify: .never)
        let event = MailEvent.queued(
            queueID: message.queueID,
            forwardPath: notification.reversePath
        )
        return NotificationDeposit { [store, queue, journal] transaction in
            try store.keepBody(of: prepared, in: transaction)
            try queue.enqueue(message, to: [recipient], in: transaction)
            transaction.afterCommit { journal.record(event) }
        }
    }
}
