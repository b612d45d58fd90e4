import Database
import Journal
import Logging
import Mail
import Queue
import Synchronization
import TestRig
import Testing

/// A queue on a new database, with a clock that stands until it is moved.
struct QueueRig: Sendable {
    let database: Database
    let queue: Queue
    let clock = FalseClock()
    let agent = ScriptedAgent()
    let outbox = Outbox()
    private let random: SeededRandom

    init(_ database: Database, seed: UInt64 = 1) async throws {
        self.database = database
        let clock = clock
        let random = SeededRandom(seed)
        self.random = random
        queue = Queue(
            database: database,
            clock: { clock.now },
            randomness: { random.next() }
        )
        try await queue.migrate()
        try await database.migrate(
            "test",
            [
                Migration(
                    "witnesses",
                    """
                    CREATE TABLE deposit (id {id}, reverse_path TEXT NOT NULL,
                        text TEXT NOT NULL);
                    CREATE TABLE released (id {id}, body BIGINT NOT NULL)
                    """
                )
            ]
        )
    }

    func scheduler(
        node: String = "a",
        limits: QueueScheduler.Limits = QueueScheduler.Limits()
    ) -> QueueScheduler {
        let random = random
        return QueueScheduler(
            queue: queue,
            parts: QueueScheduler.Parts(
                agent: agent,
                bodies: TestBodies(),
                notifications: outbox,
                journal: Journal(log: quiet),
                log: quiet
            ),
            hostName: "mx.demo.example",
            node: node,
            limits: limits,
            randomness: { random.next() }
        )
    }

    func message(
        _ queueID: String = "Q1",
        from reversePath: String = "anne@demo.example",
        body: Int64 = 7,
        returning: ReturnContent? = nil
    ) -> QueuedMessage {
        QueuedMessage(
            queueID: queueID,
            body: QueuedBody(id: body, size: TestBodies.text.count),
            reversePath: EmailAddress(parsing: reversePath).map { .address($0) } ?? .null,
            returnContent: returning,
            arrival: clock.now,
            source: "anne"
        )
    }

    @discardableResult
    func enqueue(
        _ message: QueuedMessage? = nil,
        to paths: [String],
        notify: NotifyConditions? = nil
    ) async throws -> QueuedMessage {
        let message = message ?? self.message()
        let recipients = try paths.map {
            QueuedRecipient(
                forwardPath: try #require(EmailAddress(parsing: $0)),
                notify: notify
            )
        }
        let queue = queue
        try await database.write { transaction in
            try queue.enqueue(message, to: recipients, in: transaction)
        }
        return message
    }

    /// The states of all recipients in the queue, by forward-path.
    func states() async throws -> [String: RecipientState] {
        var states: [String: RecipientState] = [:]
        for entry in try await queue.list() {
            for recipient in entry.recipients {
                states[recipient.path.forwardPath.description] = recipient.state
            }
        }
        return states
    }

    /// The texts of the notifications that became durable.
    func notifications() async throws -> [String] {
        let statement: Statement = "SELECT text FROM deposit ORDER BY id"
        return try await database.read { reader in try reader.all(statement) { $0.text(0) } }
    }

    func releasedBodies() async throws -> [Int64] {
        let statement: Statement = "SELECT body FROM released ORDER BY id"
        return try await database.read { reader in try reader.all(statement) { $0.int(0) } }
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

func withQueue(
    _ engine: TestEngine,
    seed: UInt64 = 1,
    _ body: (QueueRig) async throws -> Void
) async throws {
    let temporary = try TemporaryDatabase(engine)
    let database = try await Database.open(temporary.url, log: quiet)
    do {
        try await body(try await QueueRig(database, seed: seed))
    } catch {
        try await database.close()
        throw error
    }
    try await database.close()
    withExtendedLifetime(temporary) {}
}

final class FalseClock: Sendable {
    // 23 November 2026, 16:05 UTC.
    private let time = Mutex<Int64>(1_795_449_900_000)

    var now: Int64 { time.withLock { $0 } }

    func advance(minutes: Int64) { time.withLock { $0 += minutes * 60_000 } }

    func advance(milliseconds: Int64) { time.withLock { $0 += milliseconds } }
}

final class SeededRandom: Sendable {
    private let state: Mutex<UInt64>

    init(_ seed: UInt64) { state = Mutex(seed) }

    func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}

struct TestBodies: MessageBodies {
    static let text = Array(
        """
        From: Anne <anne@demo.example>\r
        To: someone@remote.example\r
        Subject: Budget\r
        Message-ID: <1@demo.example>\r
        \r
        Bonjour\r

        """.utf8
    )

    func read(_: QueuedBody) async throws -> [UInt8] { Self.text }

    func release(_ body: QueuedBody, in transaction: Transaction) throws {
        try transaction.execute("INSERT INTO released (body) VALUES ($1)", body.id)
    }
}

/// Answers as the test says, and counts what went out and how much was under way at once.
final class ScriptedAgent: DeliveryAgent {
    typealias Script = @Sendable (DeliveryAttempt) async -> AttemptResult

    private struct State {
        var script: Script = { _ in .relayed(.accepted, keepsDSN: true) }
        var sent: [String: Int] = [:]
        var attempts: [DeliveryAttempt] = []
        var underWay: [String: Int] = [:]
        var most = 0
        var mostPerDestination = 0
    }

    private let state = Mutex(State())

    func answer(_ script: @escaping Script) { state.withLock { $0.script = script } }

    var attempts: [DeliveryAttempt] { state.withLock { $0.attempts } }
    var most: Int { state.withLock { $0.most } }
    var mostPerDestination: Int { state.withLock { $0.mostPerDestination } }

    /// How often each forward-path was sent the message.
    var sent: [String: Int] { state.withLock { $0.sent } }

    func noteSent(_ attempt: DeliveryAttempt) {
        state.withLock { state in
            for recipient in attempt.recipients {
                state.sent[recipient.path.forwardPath.description, default: 0] += 1
            }
        }
    }

    func attempt(_ attempt: DeliveryAttempt) async -> [RecipientOutcome] {
        let script = state.withLock { state in
            state.attempts.append(attempt)
            state.underWay[attempt.destination, default: 0] += 1
            state.most = max(state.most, state.underWay.values.reduce(0, +))
            state.mostPerDestination = max(
                state.mostPerDestination,
                state.underWay[attempt.destination] ?? 0
            )
            return state.script
        }
        let result = await script(attempt)
        state.withLock { $0.underWay[attempt.destination, default: 1] -= 1 }
        return attempt.recipients.map { RecipientOutcome(number: $0.number, result: result) }
    }
}

/// Writes notifications to a table; fails where the test says.
final class Outbox: NotificationDelivery {
    enum Trouble: Sendable { case none, cannotPrepare, cannotWrite }
    struct Away: Error {}

    private let trouble = Mutex(Trouble.none)
    private let hook = Mutex<(@Sendable () async -> Void)?>(nil)

    func become(_ new: Trouble) { trouble.withLock { $0 = new } }

    func beforePreparing(_ new: (@Sendable () async -> Void)?) { hook.withLock { $0 = new } }

    func prepare(_ notification: OutgoingNotification) async throws -> NotificationDeposit {
        if let hook = hook.withLock({ $0 }) { await hook() }
        let trouble = trouble.withLock { $0 }
        if trouble == .cannotPrepare { throw Away() }
        let text = String(decoding: notification.written.bytes, as: UTF8.self)
        let path = notification.reversePath.description
        return NotificationDeposit { transaction in
            if trouble == .cannotWrite { throw Away() }
            try transaction.execute(
                "INSERT INTO deposit (reverse_path, text) VALUES ($1, $2)",
                path,
                text
            )
        }
    }
}

extension NextHopReply {
    static let accepted = NextHopReply(
        nextHop: "mx.remote.example",
        status: EnhancedStatus(2, 0, 0),
        text: "250 2.0.0 OK queued as 42",
        origin: .remote
    )

    static let busy = NextHopReply(
        nextHop: "mx.remote.example",
        status: EnhancedStatus(4, 2, 1),
        text: "450 4.2.1 Mailbox busy",
        origin: .remote
    )

    static let unreachable = NextHopReply(
        nextHop: "mx.remote.example",
        status: EnhancedStatus(4, 4, 1),
        text: "Connection refused",
        origin: .local
    )

    static let unknown = NextHopReply(
        nextHop: "mx.remote.example",
        status: EnhancedStatus(5, 1, 1),
        text: "550 5.1.1 No such user here",
        origin: .remote
    )
}
