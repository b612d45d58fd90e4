package import Database
import Mail
import Synchronization

/// Recipients that were accepted and not yet delivered, durable in the database.
///
/// The doors `enqueue` inside the transaction that accepts a message; a `QueueScheduler` on one node
/// or on several takes what is due; operators look and steer. One recipient stands in one row, and
/// what state it is in can be read there after any crash.
package final class Queue: Sendable {
    let database: Database
    let schedule: RetrySchedule
    /// Unix milliseconds.
    let clock: @Sendable () -> Int64
    let bell = Bell()
    private let lastID = Mutex<Int64>(0)
    private let randomness: @Sendable () -> UInt64

    package init(
        database: Database,
        schedule: RetrySchedule = .standard,
        clock: @escaping @Sendable () -> Int64,
        randomness: @escaping @Sendable () -> UInt64
    ) {
        self.database = database
        self.schedule = schedule
        self.clock = clock
        self.randomness = randomness
    }

    /// Brings the tables up to date; call it once before anything else.
    package func migrate() async throws {
        try await database.migrate("queue", Self.migrations)
    }

    /// Writes a message and its recipients in the caller's transaction; they are due at once.
    ///
    /// The body row must be written in the same transaction or before it. The caller records
    /// `MailEvent.queued` for each recipient once the transaction is durable. Does nothing when
    /// there are no recipients.
    package func enqueue(
        _ message: QueuedMessage,
        to recipients: [QueuedRecipient],
        in transaction: Transaction
    ) throws {
        guard !recipients.isEmpty else { return }
        let id = newID()
        let lifetime =
            message.reversePath == .null ? schedule.notificationLifetime : schedule.lifetime
        try transaction.submit(
            SQL.insertMessage,
            id,
            message.queueID,
            message.body.id,
            message.body.size,
            PathText.text(message.reversePath),
            message.envelopeID,
            message.returnContent?.rawValue,
            message.requirements.rawValue,
            message.arrival,
            message.arrival + lifetime,
            message.source,
            message.language?.rawValue,
            recipients.count
        )
        let now = clock()
        for (number, recipient) in recipients.enumerated() {
            try transaction.submit(
                SQL.insertRecipient,
                id,
                number,
                PathText.text(recipient.forwardPath),
                recipient.originalRecipient,
                recipient.notify.map { Int64($0.rawValue) },
                recipient.destination,
                now
            )
        }
        announce(in: transaction)
    }

    /// Which of `bodies` the queue still needs; for the store's sweep.
    package func bodiesInUse(among bodies: [Int64], in reader: Reader) throws -> Set<Int64> {
        var used: Set<Int64> = []
        for body in bodies
        where try reader.first(SQL.bodyInUse, body, body: { $0.int(0) }) != nil {
            used.insert(body)
        }
        return used
    }

    /// Wakes the scheduler of this process once `transaction` is durable; without one, those of
    /// the other nodes.
    func announce(in transaction: Transaction) {
        if bell.isHeard {
            transaction.afterCommit { [bell] in bell.ring() }
        } else {
            transaction.notify(Self.channel, "due")
        }
    }

    static let channel = "relais_queue"

    /// A key that grows with time: milliseconds in the upper bits, chance in the lower twenty.
    ///
    /// Made here and not by the engine, so that rows can be written without waiting for an answer.
    private func newID() -> Int64 {
        let chance = Int64(truncatingIfNeeded: randomness() & 0xF_FFFF)
        let now = max(clock(), 0) & 0x7FF_FFFF_FFFF
        return lastID.withLock { last in
            let id = max(now << 20 | chance, last + 1)
            last = id
            return id
        }
    }
}

/// Tells the scheduler of this process that there may be work.
final class Bell: Sendable {
    private let listener = Mutex<AsyncStream<Void>.Continuation?>(nil)

    /// True while a scheduler listens.
    var isHeard: Bool { listener.withLock { $0 != nil } }

    /// Rings that come before the listener looks again count as one.
    func ring() {
        _ = listener.withLock { $0 }?.yield()
    }

    /// The rings from now on; the earlier listener, if any, hears no more.
    func listen() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        let earlier = listener.withLock { listener in
            defer { listener = continuation }
            return listener
        }
        earlier?.finish()
        return stream
    }

    /// Ends the listener's stream.
    func silence() {
        let earlier = listener.withLock { listener in
            defer { listener = nil }
            return listener
        }
        earlier?.finish()
    }
}
