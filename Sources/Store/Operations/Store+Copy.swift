import Database
package import Mail

extension Store {
    /// Copies those of `uids` that are there to the end of a mailbox, all or none.
    ///
    /// The copies share the bodies.
    ///
    /// RFC 9051 §6.4.7
    package func copy(
        _ uids: UIDSet,
        from image: MailboxImage,
        to name: String,
        in account: AccountID,
        quota: QuotaLimit = .unlimited,
        by agent: AccountID
    ) async throws(StoreError) -> PlacedMessages {
        let source = image.id
        return try await write(for: account) { [self] transaction in
            let chosen = try choose(uids, in: source, transaction)
            let size = try Self.size(of: chosen.uids, in: source, with: transaction.reader)
            let isAccepted = try use(
                quota,
                of: account,
                bytes: size,
                messages: Int64(chosen.uids.count),
                in: transaction
            )
            guard isAccepted else { throw StoreError.overQuota(account) }
            let target = try self.target(name, in: account, transaction)
            return try place(chosen, size: size, in: target, transaction)
        }
    }

    /// Moves those of `uids` that are there to the end of another mailbox of the account, or of the
    /// same mailbox, all or none.
    ///
    /// RFC 9051 §6.4.8
    package func move(
        _ uids: UIDSet,
        from image: MailboxImage,
        to name: String,
        by agent: AccountID
    ) async throws(StoreError) -> PlacedMessages {
        let source = image.id
        let account = image.owner
        let placed = try await write(for: account) { [self] transaction in
            let target = try self.target(name, in: account, transaction)
            return try move(uids, of: account, from: source, to: target, in: transaction)
        }
        try await refresh(image)
        return placed
    }

    func moveAll(
        of account: AccountID,
        from name: String,
        to target: MailboxID,
        in transaction: Transaction
    ) throws {
        let source = try self.target(name, in: account, transaction)
        _ = try move(
            UIDSet(1...UInt32.max),
            of: account,
            from: source,
            to: target,
            in: transaction
        )
    }

    private func move(
        _ uids: UIDSet,
        of account: AccountID,
        from source: MailboxID,
        to target: MailboxID,
        in transaction: Transaction
    ) throws -> PlacedMessages {
        let chosen = try choose(uids, in: source, transaction)
        let size = try Self.size(of: chosen.uids, in: source, with: transaction.reader)
        let placed = try place(chosen, size: size, in: target, transaction)
        if !chosen.uids.isEmpty {
            _ = try expunge(
                chosen.uids,
                in: source,
                of: account,
                onlyDeleted: false,
                frees: false,
                transaction
            )
        }
        return placed
    }

    private func target(
        _ name: String,
        in account: AccountID,
        _ transaction: Transaction
    ) throws -> MailboxID {
        let found = try transaction.first(SQL.mailboxByName, account, name) { row in
            MailboxID(rawValue: row.int(0))
        }
        guard let found else { throw StoreError.noSuchMailbox }
        return found
    }
}

// MARK: - Choosing and placing

/// Messages to copy, with their flags as columns.
private struct ChosenMessages {
    let source: MailboxID
    var uids = UIDSet()
    var unseen = 0
    var deleted = 0
    var keywords = KeywordTable()
    /// For every flag that occurs: the UIDs of the messages that have it.
    var flagged: [UInt16: UIDSet] = [:]
}

extension Store {
    private func choose(
        _ uids: UIDSet,
        in mailbox: MailboxID,
        _ transaction: Transaction
    ) throws -> ChosenMessages {
        let row = try transaction.first(Self.selectSource, mailbox) { row in
            try LockedMailbox(row)
        }
        guard let row else { throw StoreError.noSuchMailbox }
        var chosen = ChosenMessages(source: mailbox)
        var editor = StateEditor(row, in: transaction)
        var ranges: [ClosedRange<UInt32>] = []
        var columns: [UInt16: [ClosedRange<UInt32>]] = [:]
        try editor.forEachChunk(of: uids) { editor, number, wanted in
            let state = editor.chunk(number)
            let slots = wanted.intersection(editor.live(in: number))
            slots.append(to: &ranges, chunk: number)
            for column in state.columns where column != ChunkState.Column.expunged {
                state.slots(in: column).intersection(slots)
                    .append(to: &columns[column, default: []], chunk: number)
            }
        }
        chosen.uids = UIDSet(ranges)
        chosen.flagged = columns.mapValues { UIDSet($0) }.filter { !$0.value.isEmpty }
        let seen = chosen.flagged[ChunkState.Column.seen]?.count ?? 0
        chosen.unseen = chosen.uids.count - seen
        chosen.deleted = chosen.flagged[ChunkState.Column.deleted]?.count ?? 0
        if chosen.flagged.keys.contains(where: { $0 >= ChunkState.Column.firstKeyword }) {
            chosen.keywords = try editor.keywords()
        }
        return chosen
    }

    private func place(
        _ chosen: ChosenMessages,
        size: Int64,
        in target: MailboxID,
        _ transaction: Transaction
    ) throws -> PlacedMessages {
        let count = chosen.uids.count
        let locked = try transaction.first(
            SQL.advanceMailbox,
            target,
            count,
            chosen.unseen,
            chosen.deleted,
            size
        ) { row in try LockedMailbox(row) }
        guard let locked else { throw StoreError.noSuchMailbox }
        var next = locked.uidNext - UInt32(count)
        let first = next
        let now = clock()
        guard count > 0 else {
            return PlacedMessages(
                mailbox: locked.id,
                uidValidity: locked.uidValidity,
                sources: UIDSet(),
                uids: nil
            )
        }
        for range in chosen.uids.ranges {
            let low = MessageKey.make(chosen.source, range.lowerBound)
            try transaction.submit(
                Self.copyMessages,
                low,
                MessageKey.make(chosen.source, range.upperBound),
                MessageKey.make(locked.id, next) - low,
                locked.modSeq,
                now
            )
            next += range.upperBound - range.lowerBound + 1
        }
        var editor = StateEditor(locked, in: transaction)
        try editor.setFlags(of: chosen, from: first)
        announce(try editor.save(), in: transaction)
        return PlacedMessages(
            mailbox: locked.id,
            uidValidity: locked.uidValidity,
            sources: chosen.uids,
            uids: first...(locked.uidNext - 1)
        )
    }

    private static let selectSource: Statement = """
        SELECT id, uidvalidity, uidnext, highestmodseq FROM mailbox
        WHERE id = $1 AND removed_at IS NULL
        """

    private static let copyMessages: Statement = """
        INSERT INTO message (id, modseq, internal_date, save_date, size, body_id, email_id,
            thread_id, envelope, structure, preview)
        SELECT id + $3, $4, internal_date, $5, size, body_id, email_id,
            thread_id, envelope, structure, preview
        FROM message WHERE id BETWEEN $1 AND $2
        """
}

extension StateEditor {
    /// Sets the flags of copies, the first of which has UID `first`; they stay as they arrived.
    fileprivate mutating func setFlags(of chosen: ChosenMessages, from first: UInt32) throws {
        guard !chosen.flagged.isEmpty else { return }
        try load(
            MailboxSnapshot.place(first).chunk...MailboxSnapshot.place(mailbox.uidNext - 1).chunk
        )
        for (sourceColumn, uids) in chosen.flagged.sorted(by: { $0.key < $1.key }) {
            var column = sourceColumn
            if sourceColumn >= ChunkState.Column.firstKeyword {
                let number = Int(sourceColumn - ChunkState.Column.firstKeyword)
                guard number < chosen.keywords.names.count else { continue }
                column = try self.column(of: .keyword(chosen.keywords.names[number]))
            }
            // Both are ascending, so the place of a copy is its rank among the sources.
            var members: [Int: SlotSet] = [:]
            var rank: UInt32 = 0
            for range in chosen.uids.ranges {
                for part in uids.intersection(UIDSet(range)).ranges {
                    for uid in part {
                        let copy = first + rank + (uid - range.lowerBound)
                        let (number, slot) = MailboxSnapshot.place(copy)
                        members[number, default: SlotSet()].insert(slot)
                    }
                }
                rank += range.upperBound - range.lowerBound + 1
            }
            for (number, slots) in members {
                var state = chunk(number)
                state.insert(slots, into: column)
                state.highestModSeq = mailbox.modSeq.rawValue
                replace(number, with: state)
            }
        }
    }
}
