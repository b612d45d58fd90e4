import Database
package import Journal
package import Logging
import Synchronization

/// Takes what is due, has it attempted, and records what came of it.
///
/// Several nodes may each run one on the same database: a recipient is leased to one of them, and
/// comes back by itself when its node dies. Nothing that matters is kept here: the rows say it all,
/// and this only knows what is under way and which destinations are having trouble.
package actor QueueScheduler {
    /// How much is under way at once, and how long a lease lasts.
    package struct Limits: Sendable {
        /// Attempts under way on this node.
        package var attempts = 100
        /// Attempts under way to one destination.
        package var attemptsPerDestination = 10
        /// How long a lease lasts without being renewed, in milliseconds.
        package var leaseMilliseconds: Int64 = 600_000
        /// Longest time until a change made elsewhere is seen, in milliseconds.
        package var pollMilliseconds: Int64 = 1_000
        /// First rest of a destination that failed as a whole, in milliseconds; it doubles with each
        /// failure in a row.
        package var firstRestMilliseconds: Int64 = 30_000
        package var longestRestMilliseconds: Int64 = 1_800_000
        /// Rows looked at to find destinations with work.
        package var dueRows = 2_000
        /// How long a notification that could not be prepared waits, in milliseconds.
        package var notificationRetryMilliseconds: Int64 = 60_000

        package init() {}
    }

    /// The rooms that the scheduler works with.
    package struct Parts: Sendable {
        package let agent: any DeliveryAgent
        package let bodies: any MessageBodies
        package let notifications: any NotificationDelivery
        package let journal: Journal
        /// For what keeps the queue itself from working.
        package let log: Logger

        package init(
            agent: any DeliveryAgent,
            bodies: any MessageBodies,
            notifications: any NotificationDelivery,
            journal: Journal,
            log: Logger
        ) {
            self.agent = agent
            self.bodies = bodies
            self.notifications = notifications
            self.journal = journal
            self.log = log
        }
    }

    nonisolated let queue: Queue
    nonisolated let parts: Parts
    nonisolated let limits: Limits
    /// The name that the reverse-path sees in notifications.
    nonisolated let hostName: String
    /// Names this run of this node in leases, which read `node/run/claim`.
    nonisolated let runName: String
    nonisolated let node: String
    nonisolated let randomness: @Sendable () -> UInt64

    private let isStopped = Mutex(false)
    private var underWay: [String: Int] = [:]
    private var total = 0
    private var claims = 0
    /// Attempts under way by their lease.
    private var held: [String: Int] = [:]
    /// Leases of claims that failed and may have become durable all the same.
    private var doubtful: [String] = []
    private var resting: [String: Rest] = [:]

    private struct Rest {
        var until: Int64
        var failures: Int
    }

    package init(
        queue: Queue,
        parts: Parts,
        hostName: String,
        node: String,
        limits: Limits = Limits(),
        randomness: @escaping @Sendable () -> UInt64
    ) {
        self.queue = queue
        self.parts = parts
        self.limits = limits
        self.hostName = hostName
        self.node = node
        self.randomness = randomness
        runName = "\(node)/\(Hexadecimal.text(randomness()))"
    }

    // MARK: Running

    /// Works until `stop()`, then until the attempts under way have ended.
    ///
    /// A cancelled scheduler ends sooner: its agent gives up what it is doing, and what cannot be
    /// recorded comes back when the lease ends.
    package func run() async {
        let rings = queue.bell.listen()
        // Looked at after listening: a stop that comes now finds the listener.
        if isStopped.withLock({ $0 }) { return }
        await releaseOldLeases()
        await withTaskGroup(of: Void.self) { helpers in
            helpers.addTask { await self.poll() }
            helpers.addTask { await self.hearOthers() }
            await withDiscardingTaskGroup { attempts in
                for await _ in rings {
                    while case let claimed = await claim(), !claimed.isEmpty {
                        for work in claimed {
                            attempts.addTask { await self.perform(work) }
                        }
                    }
                }
            }
            helpers.cancelAll()
        }
    }

    /// Takes no more work; `run` returns when what is under way has ended.
    package nonisolated func stop() {
        isStopped.withLock { $0 = true }
        queue.bell.silence()
    }

    /// Rings now and then: for what becomes due by time, or was changed where no bell rings.
    private func poll() async {
        var renewed = queue.clock()
        while !Task.isCancelled {
            queue.bell.ring()
            try? await Task.sleep(for: .milliseconds(limits.pollMilliseconds))
            let now = queue.clock()
            if now - renewed >= limits.leaseMilliseconds / 3 {
                await renewLeases()
                renewed = now
            }
        }
    }

    private func hearOthers() async {
        for await notice in queue.database.listen(Queue.channel) {
            // SQLite does not say what another process changed: it may have been a retry.
            if notice != .payload("due") { resting = [:] }
            queue.bell.ring()
        }
    }

    /// Claims and attempts everything that is due now, and returns when all of it is recorded.
    package func pass() async {
        while true {
            let claimed = await claim()
            if claimed.isEmpty { return }
            await withDiscardingTaskGroup { group in
                for work in claimed { group.addTask { await self.perform(work) } }
            }
        }
    }

    /// Gives back at once what an earlier run of this node left leased when it was killed.
    package func releaseOldLeases() async {
        let now = queue.clock()
        let prefix = "\(node)/"
        await orLater {
            try await self.queue.database.write { transaction in
                try transaction.execute(SQL.releaseOldLeases, now, prefix)
            }
        }
    }

    private func renewLeases() async {
        guard !held.isEmpty else { return }
        let until = queue.clock() + limits.leaseMilliseconds
        let leases = Array(held.keys)
        await orLater {
            try await self.queue.database.write { transaction in
                for lease in leases { try transaction.execute(SQL.renewLease, until, lease) }
            }
        }
    }

    /// Runs `work`; when the database is away the next poll, or the end of the lease, sees to it.
    private nonisolated func orLater(_ work: @Sendable () async throws -> some Sendable) async {
        do {
            _ = try await work()
        } catch {
            parts.log.error("queue: \(error)")
        }
    }

    // MARK: Claiming

    /// Leases due recipients within the limits; empty when there are none or no place is free.
    private func claim() async -> [ClaimedWork] {
        let free = limits.attempts - total
        guard free > 0 else { return [] }
        claims += 1
        let lease = "\(runName)/\(claims)"
        let now = queue.clock()
        let full = underWay.filter { $0.value >= limits.attemptsPerDestination }.map(\.key)
        let excluded = full + resting.filter { $0.value.until > now }.map(\.key)
        let places = underWay
        var mayHaveTaken = false
        do {
            try await releaseDoubtful()
            mayHaveTaken = true
            let claimed = try await take(
                free,
                without: Array(Set(excluded)),
                underWay: places,
                at: now,
                as: lease
            )
            for work in claimed {
                underWay[work.destination, default: 0] += 1
                held[lease, default: 0] += 1
                total += 1
            }
            return claimed
        } catch {
            if mayHaveTaken { doubtful.append(lease) }
            parts.log.error("queue: \(error)")
            return []
        }
    }

    /// Gives back what a failed claim may have leased, so that it does not wait for the lease's end.
    private func releaseDoubtful() async throws {
        guard !doubtful.isEmpty else { return }
        let now = queue.clock()
        let leases = doubtful
        try await queue.database.write { transaction in
            for lease in leases { try transaction.execute(SQL.releaseLease, now, lease) }
        }
        doubtful.removeAll { leases.contains($0) }
    }

    private nonisolated func take(
        _ free: Int,
        without excluded: [String],
        underWay: [String: Int],
        at now: Int64,
        as lease: String
    ) async throws -> [ClaimedWork] {
        let limits = limits
        let destinations = try await queue.database.read { reader in
            let values = [SQLValue.integer(now), .integer(Int64(limits.dueRows))]
            let statement =
                excluded.isEmpty
                ? SQL.dueDestinations : SQL.dueDestinations(without: excluded.count)
            return try reader.all(statement, values: values + excluded.map(SQLValue.text)) {
                $0.text(0)
            }
        }
        guard !destinations.isEmpty else { return [] }
        let until = now + limits.leaseMilliseconds
        let rows = try await queue.database.write { transaction in
            var left = free
            var rows: [StoredRecipient] = []
            for destination in destinations where left > 0 {
                let places = min(
                    left,
                    limits.attemptsPerDestination - underWay[destination, default: 0]
                )
                guard places > 0 else { continue }
                let taken = try transaction.all(
                    SQL.claim,
                    until,
                    lease,
                    destination,
                    now,
                    places
                ) { try StoredRecipient($0) }
                left -= Set(taken.map(\.messageID)).count
                rows += taken
            }
            return rows
        }
        return try await works(of: rows, lease)
    }

    /// Puts the rows of one message and destination together, with their message.
    private nonisolated func works(
        of rows: [StoredRecipient],
        _ lease: String
    ) async throws -> [ClaimedWork] {
        guard !rows.isEmpty else { return [] }
        let ids = Set(rows.map(\.messageID))
        let messages = try await queue.database.read { reader in
            var messages: [Int64: StoredMessage] = [:]
            for id in ids {
                messages[id] = try reader.first(SQL.message, id) { try StoredMessage($0) }
            }
            return messages
        }
        struct Key: Hashable {
            let message: Int64
            let destination: String
        }
        let groups = Dictionary(grouping: rows) {
            Key(message: $0.messageID, destination: $0.path.destination)
        }
        return groups.compactMap { key, recipients in
            messages[key.message].map {
                ClaimedWork(
                    stored: $0,
                    lease: lease,
                    destination: key.destination,
                    recipients: recipients.sorted { $0.number < $1.number }
                )
            }
        }
    }

    // MARK: Attempting

    private func perform(_ work: ClaimedWork) async {
        let outcomes = await outcomes(of: work)
        await recordUntilDurable(outcomes, of: work)
        finish(work, with: outcomes)
    }

    /// Attempts what still has to go out; what only owes a notification is not sent again.
    private nonisolated func outcomes(of work: ClaimedWork) async -> [Int: AttemptResult] {
        let attempt = work.attempt
        guard !attempt.recipients.isEmpty else { return [:] }
        let answers = await parts.agent.attempt(attempt)
        var results: [Int: AttemptResult] = [:]
        for answer in answers { results[answer.number] = answer.result }
        return results
    }

    private func finish(_ work: ClaimedWork, with outcomes: [Int: AttemptResult]) {
        let destination = work.destination
        total -= 1
        underWay[destination, default: 1] -= 1
        if underWay[destination] == 0 { underWay[destination] = nil }
        held[work.lease, default: 1] -= 1
        if held[work.lease] == 0 { held[work.lease] = nil }

        let isDown = outcomes.values.contains { result in
            if case .deferred(_, scope: .destination) = result { return true }
            return false
        }
        if isDown {
            let now = queue.clock()
            resting = resting.filter { $0.value.until + limits.longestRestMilliseconds > now }
            let failures = resting[destination]?.failures ?? 0
            let rest = min(
                limits.firstRestMilliseconds << Int64(min(failures, 16)),
                limits.longestRestMilliseconds
            )
            resting[destination] = Rest(until: now + rest, failures: failures + 1)
        } else if !outcomes.isEmpty {
            resting[destination] = nil
        }
        queue.bell.ring()
    }

    /// Records, trying again while the database is away; the lease keeps others from the recipients
    /// meanwhile.
    private nonisolated func recordUntilDurable(
        _ outcomes: [Int: AttemptResult],
        of work: ClaimedWork
    ) async {
        var wait: Int64 = 100
        while true {
            do {
                try await record(outcomes, of: work)
                return
            } catch {
                parts.log.error("queue: \(error)")
            }
            if Task.isCancelled { return }
            try? await Task.sleep(for: .milliseconds(wait))
            wait = min(wait * 2, 10_000)
        }
    }
}
