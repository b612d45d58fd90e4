import Database
import Journal
import Mail

extension QueueScheduler {
    /// Writes what came of an attempt, with the notifications it calls for, in one transaction.
    ///
    /// Rows that are no longer ours (the lease ran out, an operator deleted them) are left alone and
    /// nobody is notified about them; but a message that did go out is never sent again.
    nonisolated func record(_ outcomes: [Int: AttemptResult], of work: ClaimedWork) async throws {
        let now = queue.clock()
        let decisions = work.recipients.map { recipient in
            Decision(
                recipient,
                of: work.stored,
                result: outcomes[recipient.number],
                at: now,
                schedule: queue.schedule,
                jitter: randomness()
            )
        }
        var left = decisions
        // Each round loses at least one row to somebody else, so there are at most as many rounds.
        while !left.isEmpty {
            let notices = await prepareNotices(about: left, of: work.stored, at: now)
            switch try await write(left, notices, of: work, at: now) {
            case .written:
                for decision in left { journal(decision, of: work.stored, at: now) }
                return
            case .lost(let numbers):
                left.removeAll { numbers.contains($0.recipient.number) }
            }
        }
    }

    // MARK: Notifications

    /// One notification per action; or, where it could not be prepared, none.
    private nonisolated func prepareNotices(
        about decisions: [Decision],
        of stored: StoredMessage,
        at now: Int64
    ) async -> PreparedNotices {
        var notices = PreparedNotices()
        for (action, group) in Dictionary(grouping: decisions, by: \.action) {
            guard let action, group.allSatisfy({ _ in stored.message.reversePath != .null }),
                let notification = DeliveryNotification(
                    action,
                    about: stored.message,
                    recipients: group.map {
                        DeliveryNotification.Recipient(
                            path: $0.recipient.path,
                            reply: $0.reply,
                            lastAttempt: $0.lastAttempt
                        )
                    },
                    retryUntil: stored.expiry
                )
            else { continue }
            do {
                let original = try await parts.bodies.read(stored.message.body)
                let stamp = NotificationStamp(
                    hostName: hostName,
                    now: now,
                    randomness: randomness()
                )
                let written = NotificationWriter(notification, stamp: stamp)
                    .message(returning: original)
                let deposit = try await parts.notifications.prepare(
                    OutgoingNotification(
                        reversePath: notification.reversePath,
                        written: written,
                        queueID: stored.message.queueID
                    )
                )
                notices.deposits.append(deposit)
            } catch {
                parts.log.warning("queue: a notification waits: \(error)")
                notices.owed.insert(action)
            }
        }
        return notices
    }

    private struct PreparedNotices: Sendable {
        var deposits: [NotificationDeposit] = []
        /// Actions whose notification could not be prepared.
        var owed: Set<DeliveryNotification.Action> = []
    }

    // MARK: The transaction

    private enum Written: Sendable {
        case written
        /// These rows belong to somebody else now; nothing was written.
        case lost(Set<Int>)
    }

    /// Undoes the transaction when a row turns out not to be ours.
    private struct LostRows: Error {
        let numbers: Set<Int>
    }

    private nonisolated func write(
        _ decisions: [Decision],
        _ notices: PreparedNotices,
        of work: ClaimedWork,
        at now: Int64
    ) async throws -> Written {
        let stored = work.stored
        let lane = notices.deposits.compactMap(\.lane).first ?? stored.id
        let retry = now + limits.notificationRetryMilliseconds
        let lease = work.lease
        let bodies = parts.bodies
        do {
            try await queue.database.write(lane: lane) { transaction in
                var closed = 0
                var lost: Set<Int> = []
                for decision in decisions {
                    let change = RowChange(decision, owed: notices.owed, retry: retry, lease: lease)
                    if try change.apply(in: transaction) {
                        if change.removes { closed += 1 }
                    } else {
                        lost.insert(decision.recipient.number)
                    }
                }
                guard lost.isEmpty else { throw LostRows(numbers: lost) }
                for deposit in notices.deposits { try deposit.write(transaction) }
                try Queue.close(stored.id, closed, bodies, in: transaction)
            }
            return .written
        } catch let error as LostRows {
            return .lost(error.numbers)
        }
    }

    // MARK: The journal

    private nonisolated func journal(
        _ decision: Decision,
        of stored: StoredMessage,
        at now: Int64
    ) {
        // What only owed its notification was journalled when it happened.
        guard decision.recipient.state.awaitsAttempt else { return }
        let queueID = stored.message.queueID
        let path = decision.recipient.path.forwardPath
        let reply = decision.reply
        let delay = Double(max(now - stored.message.arrival, 0)) / 1_000
        switch decision.fate {
        case .close(.failed, _):
            parts.journal.record(
                .bounced(
                    queueID: queueID,
                    forwardPath: path,
                    nextHop: reply.nextHop,
                    status: reply.status,
                    reason: reply.text
                )
            )
        case .close:
            parts.journal.record(
                .relayed(
                    queueID: queueID,
                    forwardPath: path,
                    nextHop: reply.nextHop,
                    status: reply.status,
                    delaySeconds: delay,
                    reply: reply.text
                )
            )
        case .wait:
            parts.journal.record(
                .deferred(
                    queueID: queueID,
                    forwardPath: path,
                    nextHop: reply.nextHop,
                    status: reply.status,
                    delaySeconds: delay,
                    reason: reply.text
                )
            )
        }
    }
}

/// What a decision does to its row.
private struct RowChange {
    private let decision: Decision
    private let lease: String
    private let next: Next

    private enum Next {
        case remove
        case keep(RecipientState, due: Int64, attempts: Int, isWarned: Bool)
    }

    init(_ decision: Decision, owed: Set<DeliveryNotification.Action>, retry: Int64, lease: String)
    {
        self.decision = decision
        self.lease = lease
        let recipient = decision.recipient
        let attempts = recipient.attempts + (recipient.state.awaitsAttempt ? 1 : 0)
        let isOwed = decision.action.map(owed.contains) ?? false
        switch decision.fate {
        case .close(let state, _):
            next =
                isOwed
                ? .keep(state, due: retry, attempts: attempts, isWarned: recipient.isWarned)
                : .remove
        case .wait(let until, let warn):
            next = .keep(
                .deferred,
                due: until,
                attempts: attempts,
                // A warning that could not be prepared is due again with the next attempt.
                isWarned: recipient.isWarned || (warn && !isOwed)
            )
        }
    }

    var removes: Bool {
        if case .remove = next { return true }
        return false
    }

    /// False when the row is no longer ours to change.
    func apply(in transaction: Transaction) throws -> Bool {
        let id = decision.recipient.messageID
        let number = decision.recipient.number
        switch next {
        case .remove where wentOut:
            return try transaction.execute(SQL.remove, id, number) == 1
        case .remove:
            return try transaction.execute(SQL.removeLeased, id, number, lease) == 1
        case .keep(let state, let due, let attempts, let isWarned):
            let reply = decision.reply
            let values: [any SQLConvertible] = [
                state.rawValue, due, attempts, isWarned, decision.lastAttempt, reply.nextHop,
                reply.status.description, ReplyColumn.text(reply.text), reply.origin.rawValue,
            ]
            if wentOut {
                return try transaction.execute(
                    SQL.setOutcomeUnleased,
                    values: [.integer(id), .integer(Int64(number))] + values.map(\.sqlValue)
                ) == 1
            }
            return try transaction.execute(
                SQL.setOutcome,
                values: [.integer(id), .integer(Int64(number)), .text(lease)]
                    + values.map(\.sqlValue)
            ) == 1
        }
    }

    /// True when the next hop took the message in this attempt: then the row is closed whoever holds
    /// its lease, because another attempt could only double it.
    private var wentOut: Bool {
        guard decision.recipient.state.awaitsAttempt else { return false }
        switch decision.fate {
        case .close(.relayed, _), .close(.delivered, _): return true
        case .close, .wait: return false
        }
    }
}
