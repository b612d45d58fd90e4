import Database
package import Mail

/// What STORE does to flags.
///
/// RFC 9051 §6.4.6
package enum FlagChange: Hashable, Sendable {
    case add(Set<Flag>)
    case remove(Set<Flag>)
    case replace(Set<Flag>)
}

/// What came of a flag change.
package struct FlagChangeResult: Sendable {
    /// UIDs left alone because they changed after `unchangedSince`: MODIFIED.
    package let modified: UIDSet
    /// UIDs whose flags are other than before; all have the same new mod-sequence.
    package let changed: UIDSet
    /// The mailbox after the change.
    package let snapshot: MailboxSnapshot
}

extension Store {
    /// Changes the flags of `uids` with one mod-sequence for all that differ afterwards.
    ///
    /// A UID that is gone is skipped: the session learns of the expunge through the change feed.
    ///
    /// RFC 7162 §3.1.3, RFC 9051 §6.4.6
    @discardableResult
    package func changeFlags(
        of uids: UIDSet,
        in image: MailboxImage,
        by change: FlagChange,
        unchangedSince limit: ModSeq? = nil,
        agent: AccountID
    ) async throws(StoreError) -> FlagChangeResult {
        let known = try await refresh(image)
        if limit == nil, known.wouldStay(uids, after: change) {
            return FlagChangeResult(modified: UIDSet(), changed: UIDSet(), snapshot: known)
        }
        let mailbox = image.id
        let (modified, changed) = try await write(for: image.owner) { [self] transaction in
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
            let result = try editor.apply(change, to: uids, unchangedSince: limit, transaction)
            if editor.unseen != 0 || editor.deleted != 0 {
                try transaction.submit(
                    SQL.adjustMailbox,
                    mailbox,
                    0,
                    editor.unseen,
                    editor.deleted,
                    0
                )
            }
            announce(try editor.save(), in: transaction)
            return result
        }
        return FlagChangeResult(
            modified: modified,
            changed: changed,
            snapshot: try await refresh(image)
        )
    }
}

extension MailboxSnapshot {
    /// True when `change` would leave the flags of all of `uids` as they are.
    fileprivate func wouldStay(_ uids: UIDSet, after change: FlagChange) -> Bool {
        let there = existing(uids)
        switch change {
        case .add(let flags):
            return flags.allSatisfy { flag in
                there.subtracting(self.uids(with: flag)).isEmpty
            }
        case .remove(let flags):
            return flags.allSatisfy { flag in
                there.intersection(self.uids(with: flag)).isEmpty
            }
        case .replace:
            return there.isEmpty
        }
    }
}

extension StateEditor {
    mutating func apply(
        _ change: FlagChange,
        to uids: UIDSet,
        unchangedSince limit: ModSeq?,
        _ transaction: Transaction
    ) throws -> (modified: UIDSet, changed: UIDSet) {
        var modified: [ClosedRange<UInt32>] = []
        var changed: [ClosedRange<UInt32>] = []
        let edit = try ColumnEdit(change, in: &self)
        var firstArrival = mailbox.uidNext
        if let limit {
            firstArrival = try Store.firstArrival(
                after: limit,
                in: mailbox.id,
                uidNext: mailbox.uidNext,
                with: transaction.reader
            )
        }
        try forEachChunk(of: uids) { editor, number, wanted in
            var state = editor.chunk(number)
            var slots = wanted.intersection(editor.live(in: number))
            if let limit {
                let later = state.changed(since: limit.rawValue)
                    .union(SlotSet(number, from: firstArrival))
                slots.intersection(later).append(to: &modified, chunk: number)
                slots = slots.subtracting(later)
            }
            let seen = state.slots(in: ChunkState.Column.seen).count
            let deleted = state.slots(in: ChunkState.Column.deleted).count
            let altered = edit.apply(to: &state, slots)
            guard !altered.isEmpty else { return }
            editor.unseen -= Int64(state.slots(in: ChunkState.Column.seen).count - seen)
            editor.deleted += Int64(state.slots(in: ChunkState.Column.deleted).count - deleted)
            state.stamp(altered, with: editor.mailbox.modSeq.rawValue)
            editor.replace(number, with: state)
            altered.append(to: &changed, chunk: number)
        }
        return (UIDSet(modified), UIDSet(changed))
    }

    /// Visits the chunks that `uids` touch, loaded, with the slots that `uids` name there.
    mutating func forEachChunk(
        of uids: UIDSet,
        _ body: (inout StateEditor, Int, SlotSet) throws -> Void
    ) throws {
        guard mailbox.uidNext > 1 else { return }
        let wanted = uids.intersection(UIDSet(1...(mailbox.uidNext - 1)))
        guard let lowest = wanted.min, let highest = wanted.max else { return }
        let numbers = MailboxSnapshot.place(lowest).chunk...MailboxSnapshot.place(highest).chunk
        try load(numbers)
        var ranges = wanted.ranges[...]
        for number in numbers {
            let low = UInt32(number * SlotSet.span)
            let high = low + UInt32(SlotSet.span - 1)
            var slots = SlotSet()
            while let range = ranges.first, range.lowerBound <= high {
                let first = Int(max(range.lowerBound, low) - low)
                let last = Int(min(range.upperBound, high) - low)
                slots.insert(first..<(last + 1))
                if range.upperBound > high { break }
                ranges.removeFirst()
            }
            if !slots.isEmpty { try body(&self, number, slots) }
        }
    }
}

/// A flag change in terms of columns.
private struct ColumnEdit {
    private var adds: [UInt16] = []
    private var removes: [UInt16] = []
    private var removesOthers = false

    init(_ change: FlagChange, in editor: inout StateEditor) throws {
        switch change {
        case .add(let flags): adds = try flags.map { try editor.column(of: $0) }
        case .remove(let flags):
            removes = try flags.compactMap { try editor.knownColumn(of: $0) }
        case .replace(let flags):
            adds = try flags.map { try editor.column(of: $0) }
            removesOthers = true
        }
    }

    /// Yields the slots among `slots` that are other than before.
    func apply(to state: inout ChunkState, _ slots: SlotSet) -> SlotSet {
        var altered = SlotSet()
        for column in adds {
            altered = altered.union(slots.subtracting(state.slots(in: column)))
            state.insert(slots, into: column)
        }
        let cleared =
            removesOthers
            ? state.columns.filter { $0 != ChunkState.Column.expunged && !adds.contains($0) }
            : removes
        for column in cleared {
            altered = altered.union(slots.intersection(state.slots(in: column)))
            state.remove(slots, from: column)
        }
        return altered
    }
}

extension SlotSet {
    /// The slots of chunk `number` from `uid` on.
    init(_ number: Int, from uid: UInt32) {
        let first = Int(uid) - number * Self.span
        self.init(max(0, min(first, Self.span))..<Self.span)
    }

    func append(to ranges: inout [ClosedRange<UInt32>], chunk: Int) {
        let base = UInt32(chunk * Self.span)
        forEachRun { run in
            ranges.append((base + UInt32(run.lowerBound))...(base + UInt32(run.upperBound - 1)))
        }
    }
}
