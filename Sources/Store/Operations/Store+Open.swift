import Database
package import Mail

extension Store {
    /// Opens a mailbox: the image that all its sessions in this process share.
    package func open(
        _ name: String,
        in account: AccountID,
        by agent: AccountID
    ) async throws(StoreError) -> MailboxImage {
        let found = try await read { [self] reader -> Opened? in
            let id = try reader.first(SQL.mailboxByName, account, name) { row in
                MailboxID(rawValue: row.int(0))
            }
            guard let id else { return nil }
            if let image = images.image(of: id) { return .shared(image) }
            return try Self.load(id, after: nil, with: reader).map(Opened.new)
        }
        switch found {
        case nil: throw .noSuchMailbox
        case .shared(let image):
            try await refresh(image)
            return image
        case .new(let snapshot):
            let image = images.add(MailboxImage(snapshot, owner: account))
            try await refresh(image)
            return image
        }
    }

    private enum Opened: Sendable {
        case shared(MailboxImage)
        case new(MailboxSnapshot)
    }

    /// Brings `image` up to what is known to be committed, and yields its state; without a query
    /// when nothing has happened.
    ///
    /// Throws `noSuchMailbox` once the mailbox is deleted.
    @discardableResult
    package func refresh(_ image: MailboxImage) async throws(StoreError) -> MailboxSnapshot {
        guard !image.isRemoved else { throw .noSuchMailbox }
        guard image.isBehind else { return image.snapshot }
        let doubts = image.doubts
        let known = image.snapshot
        let later = try await read { reader in
            try Self.load(known.id, after: known, with: reader)
        }
        guard let later else {
            image.remove()
            throw .noSuchMailbox
        }
        image.take(later, settling: doubts)
        return image.snapshot
    }

    /// UIDs of messages that arrived or changed after `modSeq`: CHANGEDSINCE.
    ///
    /// UIDs and mod-sequences of arrival grow together, so the arrivals after `modSeq` are those
    /// from some UID on, which a binary search over the rows finds.
    ///
    /// RFC 7162 §3.1.4.1
    package func changed(
        since modSeq: ModSeq,
        in snapshot: MailboxSnapshot
    ) async throws(StoreError) -> UIDSet {
        let altered = snapshot.changed(since: modSeq)
        guard modSeq < snapshot.highestModSeq, snapshot.uidNext > 1 else { return altered }
        let first = try await read { reader in
            try Self.firstArrival(
                after: modSeq,
                in: snapshot.id,
                uidNext: snapshot.uidNext,
                with: reader
            )
        }
        guard first < snapshot.uidNext else { return altered }
        let arrived = snapshot.existing(UIDSet(first...(snapshot.uidNext - 1)))
        return altered.union(arrived)
    }

    /// The lowest UID whose message arrived after `modSeq`; `uidNext` when there is none.
    static func firstArrival(
        after modSeq: ModSeq,
        in mailbox: MailboxID,
        uidNext: UInt32,
        with reader: Reader
    ) throws -> UInt32 {
        var low: UInt32 = 1
        var high = uidNext
        while low < high {
            let middle = low + (high - low) / 2
            // The row at `middle`, or the next one where a purge has left a hole.
            let row = try reader.first(
                arrivalFrom,
                MessageKey.make(mailbox, middle),
                MessageKey.make(mailbox, high - 1)
            ) { row in (uid: MessageKey.uid(row.int(0)), modSeq: row.int(1)) }
            guard let row else {
                high = middle
                continue
            }
            if row.modSeq > modSeq.rawValue { high = middle } else { low = row.uid + 1 }
        }
        return low
    }

    private static let arrivalFrom: Statement =
        "SELECT id, modseq FROM message WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT 1"

    /// The committed state, built on an earlier one where there is one; nil when the mailbox is
    /// gone.
    static func load(
        _ mailbox: MailboxID,
        after earlier: MailboxSnapshot?,
        with reader: Reader
    ) throws -> MailboxSnapshot? {
        let row = try reader.first(selectState, mailbox) { row in
            (
                validity: UInt32(truncatingIfNeeded: row.int(0)),
                uidNext: UInt32(truncatingIfNeeded: row.int(1)),
                modSeq: ModSeq(rawValue: row.int(2))
            )
        }
        guard let row else { return nil }
        if let earlier, earlier.highestModSeq == row.modSeq { return earlier }
        let keywords = try KeywordTable.read(of: mailbox, with: reader)
        var changed: [(number: Int, state: ChunkState)] = []
        try reader.query(
            changedChunks,
            ChunkKey.make(mailbox, 0),
            ChunkKey.make(mailbox, ChunkKey.last),
            earlier?.highestModSeq.rawValue ?? 0
        ) { row in
            let number = ChunkKey.chunk(row.int(0))
            let highest = row.int(1)
            let state = row.withBytes(2) { ChunkState(decoding: $0, highestModSeq: highest) }
            guard let state else {
                throw StoreError.damaged("state of mailbox \(mailbox.rawValue), chunk \(number)")
            }
            changed.append((number, state))
        }
        var snapshot =
            earlier
            ?? MailboxSnapshot(
                id: mailbox,
                uidValidity: UIDValidity(rawValue: row.validity),
                uidNext: 1,
                highestModSeq: ModSeq(rawValue: 0),
                keywords: keywords
            )
        snapshot.advance(
            uidNext: row.uidNext,
            highestModSeq: row.modSeq,
            keywords: keywords,
            chunks: changed
        )
        return snapshot
    }

    private static let selectState: Statement = """
        SELECT uidvalidity, uidnext, highestmodseq FROM mailbox
        WHERE id = $1 AND removed_at IS NULL
        """

    private static let changedChunks: Statement = """
        SELECT id, highestmodseq, value FROM mailbox_state
        WHERE id BETWEEN $1 AND $2 AND highestmodseq > $3 ORDER BY id
        """
}
