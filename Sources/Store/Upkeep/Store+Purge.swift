import Database
import Mail

/// What a purge removed for good.
package struct PurgeResult: Hashable, Sendable {
    package var messages = 0
    package var mailboxes = 0
}

extension Store {
    /// Removes the rows of messages expunged, and of mailboxes deleted, before `moment`.
    ///
    /// In small transactions, so that deliveries go on beside it; stopping halfway does no harm.
    /// Bodies that nobody names any more are left to `sweepBodies`.
    ///
    /// - Parameter moment: Unix milliseconds.
    package func purge(before moment: Int64) async throws(StoreError) -> PurgeResult {
        var result = PurgeResult()
        let removed = try await read { reader in
            try reader.all(Self.selectRemoved, moment) { row in
                (id: MailboxID(rawValue: row.int(0)), account: AccountID(rawValue: row.int(1)))
            }
        }
        for (mailbox, account) in removed {
            result.messages += try await purgeAll(of: mailbox, account)
            result.mailboxes += 1
        }
        let expunged = try await read { reader in
            try reader.all(Self.selectExpunged, moment) { row in
                ExpungedUpTo(
                    mailbox: MailboxID(rawValue: row.int(0)),
                    account: AccountID(rawValue: row.int(1)),
                    from: row.int(2),
                    to: row.int(3)
                )
            }
        }
        for mailbox in expunged { result.messages += try await purge(mailbox) }
        return result
    }

    /// A mailbox's expunges that are old enough: those with mod-sequences in `from + 1 ... to`.
    private struct ExpungedUpTo {
        let mailbox: MailboxID
        let account: AccountID
        let from: Int64
        let to: Int64
    }

    private func purgeAll(
        of mailbox: MailboxID,
        _ account: AccountID
    ) async throws(StoreError) -> Int {
        var sum = 0
        while true {
            let removed = try await deleteMessages(0...UInt32.max, of: mailbox, account)
            sum += removed
            if removed < limits.purgeRows { break }
        }
        try await write(for: account) { transaction in
            try transaction.submit(
                Self.deleteState,
                ChunkKey.make(mailbox, 0),
                ChunkKey.make(mailbox, Int(UInt32.max))
            )
            try transaction.submit(Self.deleteKeywords, mailbox)
            try transaction.submit(Self.deleteLog, mailbox, Int64.max)
            try transaction.submit(Self.deleteMailbox, mailbox)
        }
        return sum
    }

    private func purge(_ expunged: ExpungedUpTo) async throws(StoreError) -> Int {
        let uids = try await read { reader in
            var ranges: [ClosedRange<UInt32>] = []
            try StateEditor.read(0...ChunkKey.last, of: expunged.mailbox, with: reader) {
                number,
                state in
                state.slots(in: ChunkState.Column.expunged)
                    .intersection(state.changed(since: expunged.from))
                    .subtracting(state.changed(since: expunged.to))
                    .append(to: &ranges, chunk: number)
            }
            return UIDSet(ranges)
        }
        var sum = 0
        for range in uids.ranges {
            while true {
                let removed = try await deleteMessages(
                    range,
                    of: expunged.mailbox,
                    expunged.account
                )
                sum += removed
                if removed < limits.purgeRows { break }
            }
        }
        try await write(for: expunged.account) { transaction in
            try transaction.submit(Self.setPurged, expunged.mailbox, expunged.to)
            try transaction.submit(Self.deleteLog, expunged.mailbox, expunged.to)
        }
        return sum
    }

    /// Removes up to `Limits.purgeRows` rows and remembers the bodies that nobody names then.
    private func deleteMessages(
        _ uids: ClosedRange<UInt32>,
        of mailbox: MailboxID,
        _ account: AccountID
    ) async throws(StoreError) -> Int {
        try await write(for: account) { [self] transaction in
            let bodies = try transaction.all(
                Self.deleteSome,
                MessageKey.make(mailbox, uids.lowerBound),
                MessageKey.make(mailbox, uids.upperBound),
                limits.purgeRows
            ) { $0.int(0) }
            let now = clock()
            for body in Set(bodies) { try transaction.submit(SQL.markOrphan, body, now) }
            return bodies.count
        }
    }

    private static let selectRemoved: Statement =
        "SELECT id, account_id FROM mailbox WHERE removed_at < $1 ORDER BY id"

    private static let selectExpunged: Statement = """
        SELECT mailbox.id, mailbox.account_id, mailbox.purged_modseq, MAX(expunge_log.modseq)
        FROM expunge_log JOIN mailbox ON mailbox.id = expunge_log.mailbox_id
        WHERE expunge_log.at < $1
        GROUP BY mailbox.id, mailbox.account_id, mailbox.purged_modseq ORDER BY mailbox.id
        """

    private static let deleteSome: Statement = """
        DELETE FROM message WHERE id IN
            (SELECT id FROM message WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT $3)
        RETURNING body_id
        """

    private static let deleteState: Statement =
        "DELETE FROM mailbox_state WHERE id BETWEEN $1 AND $2"

    private static let deleteKeywords: Statement = "DELETE FROM keyword WHERE mailbox_id = $1"

    private static let deleteLog: Statement =
        "DELETE FROM expunge_log WHERE mailbox_id = $1 AND modseq <= $2"

    private static let deleteMailbox: Statement = "DELETE FROM mailbox WHERE id = $1"

    private static let setPurged: Statement =
        "UPDATE mailbox SET purged_modseq = $2 WHERE id = $1"
}
