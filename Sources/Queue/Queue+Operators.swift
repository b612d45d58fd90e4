import Database

// What operators do; the command line calls these in a process of its own, so a scheduler learns of
// a change through a notice or at its next poll.

extension Queue {
    /// Messages with at least one recipient that `filter` names, oldest first, each with all of its
    /// recipients.
    package func list(
        _ filter: QueueFilter = QueueFilter(),
        after position: QueuePosition? = nil,
        limit: Int = 100
    ) async throws(QueueError) -> [QueueEntry] {
        let (conditions, values) = filter.conditions(from: 3)
        let statement = Statement.composed(
            """
            SELECT \(SQL.messageColumns) FROM queue_message m WHERE m.id > $1 AND EXISTS (
                SELECT 1 FROM queue_recipient r WHERE r.message_id = m.id AND \(conditions))
            ORDER BY m.id LIMIT $2
            """
        )
        let bounded = min(max(limit, 1), Self.largestPage)
        return try await reporting {
            try await self.database.read { reader in
                let stored = try reader.all(
                    statement,
                    values: [.integer(position?.id ?? -1), .integer(Int64(bounded))] + values
                ) { try StoredMessage($0) }
                return try stored.map { try Self.entry($0, reader) }
            }
        }
    }

    /// Entries in one page at most.
    package static let largestPage = 1_000

    /// The messages called `queueID`: none, or one, or one per destination of a forwarding.
    package func show(_ queueID: String) async throws(QueueError) -> [QueueEntry] {
        try await list(QueueFilter(queueID: queueID))
    }

    private static func entry(_ stored: StoredMessage, _ reader: Reader) throws -> QueueEntry {
        let rows = try reader.all(SQL.recipients, stored.id) { try StoredRecipient($0) }
        return QueueEntry(
            message: stored.message,
            expiry: stored.expiry,
            recipients: rows.map { row in
                QueueEntry.Recipient(
                    path: row.path,
                    state: row.state,
                    nextAttempt: row.state == .held || row.lease != nil ? nil : row.due,
                    lease: row.lease,
                    attempts: row.attempts,
                    lastAttempt: row.lastAttempt,
                    lastReply: row.lastReply
                )
            },
            position: QueuePosition(id: stored.id)
        )
    }

    /// Recipients by destination and state.
    package func counts() async throws(QueueError) -> [DestinationCount] {
        try await reporting {
            try await self.database.read { reader in
                try reader.all(SQL.countsByDestination) { row -> DestinationCount? in
                    guard let state = RecipientState(rawValue: row.int(1)) else { return nil }
                    return DestinationCount(
                        destination: row.text(0),
                        state: state,
                        recipients: Int(row.int(2)),
                        underWay: Int(row.int(4)),
                        nextAttempt: state == .held ? nil : row.int(3)
                    )
                }.compactMap { $0 }
            }
        }
    }

    /// Keeps recipients back until they are released; returns how many.
    ///
    /// An attempt under way goes on, and counts if it succeeds.
    package func hold(_ filter: QueueFilter) async throws(QueueError) -> Int {
        try await change(
            filter,
            to: "state = 2, due = $1, lease = NULL",
            .integer(.max),
            where: "r.state IN (0, 1)"
        )
    }

    /// Lets held recipients go, at once; returns how many.
    package func release(_ filter: QueueFilter) async throws(QueueError) -> Int {
        try await change(
            filter,
            to: "state = CASE WHEN attempts = 0 THEN 0 ELSE 1 END, due = $1",
            .integer(clock()),
            where: "r.state = 2"
        )
    }

    /// Makes waiting recipients due at once; returns how many.
    ///
    /// Destinations that were resting after a failure are tried too.
    package func retryNow(_ filter: QueueFilter) async throws(QueueError) -> Int {
        try await change(
            filter,
            to: "due = $1",
            .integer(clock()),
            where: "r.state <> 2 AND r.lease IS NULL"
        )
    }

    private func change(
        _ filter: QueueFilter,
        to assignments: String,
        _ value: SQLValue,
        where condition: String
    ) async throws(QueueError) -> Int {
        let (conditions, values) = filter.conditions(from: 2)
        // Both key columns in one comparison: row values are the same on both engines.
        let statement = Statement.composed(
            """
            UPDATE queue_recipient SET \(assignments) WHERE (message_id, number) IN (
                SELECT r.message_id, r.number
                FROM queue_recipient r JOIN queue_message m ON m.id = r.message_id
                WHERE \(condition) AND \(conditions))
            """
        )
        return try await reporting {
            try await self.database.write { transaction in
                let count = try transaction.execute(statement, values: [value] + values)
                if count > 0 { self.announceRetry(in: transaction) }
                return count
            }
        }
    }

    /// Takes recipients out of the queue; returns how many.
    ///
    /// An attempt under way may still succeed; the row that it would close is then gone, or is
    /// closed by it instead of by the notification. `bodies` is told of the messages that no
    /// recipient needs any more.
    package func delete(
        _ filter: QueueFilter,
        _ notice: DeletionNotice,
        bodies: any MessageBodies
    ) async throws(QueueError) -> Int {
        switch notice {
        case .notify: try await withdraw(filter)
        case .silent: try await remove(filter, bodies: bodies)
        }
    }

    private func withdraw(_ filter: QueueFilter) async throws(QueueError) -> Int {
        let now = clock()
        return try await change(
            filter,
            to: """
                state = 3, due = $1, lease = NULL, last_attempt = \(now), next_hop = 'localhost',
                status = '5.7.14', reply = 'Withdrawn by an operator', reply_origin = 2
                """,
            .integer(now),
            where: "r.state IN (0, 1, 2)"
        )
    }

    private func remove(
        _ filter: QueueFilter,
        bodies: any MessageBodies
    ) async throws(QueueError) -> Int {
        let (conditions, values) = filter.conditions(from: 1)
        let find = Statement.composed(
            """
            SELECT r.message_id, r.number
            FROM queue_recipient r JOIN queue_message m ON m.id = r.message_id
            WHERE \(conditions) LIMIT \(Self.largestPage)
            """
        )
        var removed = 0
        while true {
            let batch = try await reporting {
                try await self.database.write { transaction in
                    let keys = try transaction.reader.all(find, values: values) {
                        ($0.int(0), $0.int(1))
                    }
                    for (id, rows) in Dictionary(grouping: keys, by: \.0) {
                        let gone = try rows.reduce(0) {
                            try $0 + transaction.execute(SQL.remove, id, $1.1)
                        }
                        try Queue.close(id, gone, bodies, in: transaction)
                    }
                    return keys.count
                }
            }
            removed += batch
            if batch < Self.largestPage { return removed }
        }
    }

    /// Counts down the recipients of a message and removes it with the last.
    static func close(
        _ id: Int64,
        _ closed: Int,
        _ bodies: any MessageBodies,
        in transaction: Transaction
    ) throws {
        guard closed > 0 else { return }
        guard try transaction.first(SQL.countDown, id, closed, body: { $0.int(0) }) == 0 else {
            return
        }
        let body = try transaction.first(SQL.message, id) { try StoredMessage($0).message.body }
        try transaction.execute(SQL.removeMessage, id)
        if let body { try bodies.release(body, in: transaction) }
    }

    private func announceRetry(in transaction: Transaction) {
        transaction.notify(Self.channel, "retry")
    }

    private func reporting<Value>(
        _ work: () async throws -> Value
    ) async throws(QueueError) -> Value {
        do {
            return try await work()
        } catch {
            throw QueueError(error)
        }
    }
}
