import Database
package import Mail

extension Store {
    /// Expunges the messages of `uids` that are `\Deleted`, or all that are when `uids` is nil.
    ///
    /// Yields the UIDs that went. Their rows stay until the purge, and no longer count.
    ///
    /// RFC 9051 §6.4.3, §6.4.9
    @discardableResult
    package func expunge(
        _ uids: UIDSet? = nil,
        in image: MailboxImage,
        by agent: AccountID
    ) async throws(StoreError) -> UIDSet {
        let known = try await refresh(image)
        let deleted = known.uids(with: .deleted)
        let candidates = uids.map { deleted.intersection($0) } ?? deleted
        if candidates.isEmpty { return candidates }
        let wanted = uids ?? UIDSet(1...UInt32.max)
        let mailbox = image.id
        let account = image.owner
        let expunged = try await write(for: account) { [self] transaction in
            try expunge(
                wanted,
                in: mailbox,
                of: account,
                onlyDeleted: true,
                frees: true,
                transaction
            ).uids
        }
        try await refresh(image)
        return expunged
    }

    /// Marks those of `uids` that are there as expunged, with all counters.
    ///
    /// `frees` is false when the messages go to another mailbox of the same account.
    func expunge(
        _ uids: UIDSet,
        in mailbox: MailboxID,
        of account: AccountID,
        onlyDeleted: Bool,
        frees: Bool,
        _ transaction: Transaction
    ) throws -> (uids: UIDSet, size: Int64) {
        guard
            let locked = try transaction.first(
                SQL.advanceMailbox,
                mailbox,
                0,
                0,
                0,
                0,
                body: { row in try LockedMailbox(row) }
            )
        else { throw StoreError.noSuchMailbox }
        var editor = StateEditor(locked, in: transaction)
        var gone: [ClosedRange<UInt32>] = []
        try editor.forEachChunk(of: uids) { editor, number, wanted in
            var state = editor.chunk(number)
            var slots = wanted.intersection(editor.live(in: number))
            let deleted = slots.intersection(state.slots(in: ChunkState.Column.deleted))
            if onlyDeleted { slots = deleted }
            guard !slots.isEmpty else { return }
            editor.unseen -= Int64(
                slots.subtracting(state.slots(in: ChunkState.Column.seen)).count
            )
            editor.deleted -= Int64(deleted.count)
            state.insert(slots, into: ChunkState.Column.expunged)
            state.stamp(slots, with: editor.mailbox.modSeq.rawValue)
            editor.replace(number, with: state)
            slots.append(to: &gone, chunk: number)
        }
        let expunged = UIDSet(gone)
        let size = try Self.size(of: expunged, in: mailbox, with: transaction.reader)
        if !expunged.isEmpty {
            try transaction.submit(
                SQL.adjustMailbox,
                mailbox,
                -expunged.count,
                editor.unseen,
                editor.deleted,
                -size
            )
            if frees {
                try transaction.submit(SQL.freeQuota, account, size, expunged.count)
            }
            try transaction.submit(Self.logExpunge, mailbox, locked.modSeq, clock())
        }
        announce(try editor.save(), in: transaction)
        return (expunged, size)
    }

    /// The sum of the sizes of `uids`, which are there.
    static func size(
        of uids: UIDSet,
        in mailbox: MailboxID,
        with reader: Reader
    ) throws -> Int64 {
        var sum: Int64 = 0
        for span in uids.joined(across: 16) {
            let isWhole = UIDSet(span).subtracting(uids).isEmpty
            let low = MessageKey.make(mailbox, span.lowerBound)
            let high = MessageKey.make(mailbox, span.upperBound)
            if isWhole {
                sum += try reader.first(sumSizes, low, high) { $0.int(0) } ?? 0
            } else {
                try reader.query(selectSizes, low, high) { row in
                    if uids.contains(MessageKey.uid(row.int(0))) { sum += row.int(1) }
                }
            }
        }
        return sum
    }

    private static let logExpunge: Statement =
        "INSERT INTO expunge_log (mailbox_id, modseq, at) VALUES ($1, $2, $3)"

    private static let sumSizes: Statement =
        "SELECT COALESCE(SUM(size), 0) FROM message WHERE id BETWEEN $1 AND $2"

    private static let selectSizes: Statement =
        "SELECT id, size FROM message WHERE id BETWEEN $1 AND $2"
}

extension UIDSet {
    /// The ranges, those joined that lie less than `gap` apart: fewer queries, a few rows too many.
    func joined(across gap: UInt32) -> [ClosedRange<UInt32>] {
        var spans: [ClosedRange<UInt32>] = []
        for range in ranges {
            if let last = spans.last, range.lowerBound - last.upperBound <= gap {
                spans[spans.count - 1] = last.lowerBound...range.upperBound
            } else {
                spans.append(range)
            }
        }
        return spans
    }
}
