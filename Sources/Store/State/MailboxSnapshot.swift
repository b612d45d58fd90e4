package import Mail

/// A mailbox as it was at one mod-sequence: which UIDs are there, their flags, their numbers.
///
/// A value: copying it costs a few references, and a session keeps the one that its client knows.
/// UIDs are given without gaps, so a message is there when its UID is below UIDNEXT and not
/// expunged; nothing is stored for a message that has not changed since it arrived. One hundred
/// thousand messages are a hundred chunks.
package struct MailboxSnapshot: Sendable {
    package let id: MailboxID
    package let uidValidity: UIDValidity
    /// The UID that the next message will get.
    package private(set) var uidNext: UInt32
    package private(set) var highestModSeq: ModSeq
    package private(set) var keywords: KeywordTable
    /// One value for every 1,024 UIDs below UIDNEXT.
    private(set) var chunks: [ChunkState] = []
    /// How many messages there are before each chunk, and at the end how many in all.
    private(set) var messagesBefore: [UInt32] = [0]
    /// Some expunged messages are still shown, because the client may not be told yet.
    private(set) var holdsBack = false

    init(
        id: MailboxID,
        uidValidity: UIDValidity,
        uidNext: UInt32,
        highestModSeq: ModSeq,
        keywords: KeywordTable
    ) {
        self.id = id
        self.uidValidity = uidValidity
        self.uidNext = uidNext
        self.highestModSeq = highestModSeq
        self.keywords = keywords
        fitChunks()
    }

    /// How many messages the mailbox has: EXISTS.
    package var count: Int { Int(messagesBefore[chunks.count]) }

    package func contains(_ uid: UID) -> Bool {
        let (chunk, slot) = Self.place(uid.rawValue)
        return uid.rawValue != 0 && uid.rawValue < uidNext
            && !chunks[chunk].contains(slot, in: ChunkState.Column.expunged)
    }

    /// The flags of a message that is there.
    package func flags(of uid: UID) -> MessageFlags {
        let (chunk, slot) = Self.place(uid.rawValue)
        guard chunk < chunks.count else { return MessageFlags() }
        return chunks[chunk].flags(at: slot)
    }

    /// The mod-sequence of the last change of a message; nil when it is as it arrived, and the
    /// mod-sequence stands in its row.
    package func modSeq(of uid: UID) -> ModSeq? {
        let (chunk, slot) = Self.place(uid.rawValue)
        guard chunk < chunks.count else { return nil }
        let modSeq = chunks[chunk].modSeq(at: slot)
        return modSeq == 0 ? nil : ModSeq(rawValue: modSeq)
    }

    // MARK: Which UIDs

    /// The UIDs of all messages.
    package var uids: UIDSet { uids(matching: { $0.live(in: $1) }) }

    /// Those of `uids` that are there.
    package func existing(_ uids: UIDSet) -> UIDSet {
        guard let lowest = uids.min, let highest = uids.max else { return UIDSet() }
        let wanted = Self.place(lowest).chunk...Self.place(highest).chunk
        return self.uids(in: wanted, matching: { $0.live(in: $1) }).intersection(uids)
    }

    /// The UIDs of messages with `flag`.
    package func uids(with flag: Flag) -> UIDSet {
        guard let column = keywords.column(of: flag) else { return UIDSet() }
        return uids { snapshot, chunk in
            snapshot.live(in: chunk).intersection(snapshot.chunks[chunk].slots(in: column))
        }
    }

    /// The UIDs of messages without `flag`.
    package func uids(without flag: Flag) -> UIDSet {
        guard let column = keywords.column(of: flag) else { return uids }
        return uids { snapshot, chunk in
            snapshot.live(in: chunk).subtracting(snapshot.chunks[chunk].slots(in: column))
        }
    }

    /// The lowest UID of a message without `\Seen`.
    package var firstUnseen: UID? {
        for chunk in chunks.indices {
            let unseen = live(in: chunk)
                .subtracting(chunks[chunk].slots(in: ChunkState.Column.seen))
            if let slot = unseen.next(from: 0) {
                return UID(rawValue: UInt32(chunk * SlotSet.span + slot))
            }
        }
        return nil
    }

    /// The UIDs of messages changed after `modSeq`, those that merely arrived not counted: see
    /// `Store.changed(since:in:)` for both.
    package func changed(since modSeq: ModSeq) -> UIDSet {
        uids { snapshot, chunk in
            let state = snapshot.chunks[chunk]
            guard state.highestModSeq > modSeq.rawValue else { return SlotSet() }
            return state.changed(since: modSeq.rawValue).intersection(snapshot.live(in: chunk))
        }
    }

    /// Those of `uids` that were expunged after `modSeq`: VANISHED (EARLIER).
    ///
    /// RFC 7162 §3.2.5.1
    package func expunged(since modSeq: ModSeq) -> UIDSet {
        uids { snapshot, chunk in
            let state = snapshot.chunks[chunk]
            guard state.highestModSeq > modSeq.rawValue else { return SlotSet() }
            return state.changed(since: modSeq.rawValue)
                .intersection(state.slots(in: ChunkState.Column.expunged))
        }
    }

    // MARK: Sequence numbers

    /// The message sequence number of `uid`; nil when it is not there.
    package func sequenceNumber(of uid: UID) -> UInt32? {
        guard contains(uid) else { return nil }
        let (chunk, slot) = Self.place(uid.rawValue)
        return messagesBefore[chunk] + UInt32(live(in: chunk).rank(of: slot)) + 1
    }

    /// The UID with message sequence number `number`; nil outside 1...count.
    package func uid(at number: UInt32) -> UID? {
        guard number > 0, number <= count else { return nil }
        let chunk = chunk(holding: number)
        let rank = Int(number - messagesBefore[chunk] - 1)
        return live(in: chunk).member(atRank: rank).map {
            UID(rawValue: UInt32(chunk * SlotSet.span + $0))
        }
    }

    /// The UIDs of the messages with these sequence numbers; numbers beyond the end are left out.
    package func uids(atSequenceNumbers numbers: UIDSet) -> UIDSet {
        var ranges: [ClosedRange<UInt32>] = []
        for range in numbers.ranges {
            let last = Swift.min(range.upperBound, UInt32(count))
            guard range.lowerBound > 0, range.lowerBound <= last,
                let low = uid(at: range.lowerBound), let high = uid(at: last)
            else { continue }
            ranges += existing(UIDSet(low.rawValue...high.rawValue)).ranges
        }
        return UIDSet(ranges)
    }

    /// The sequence numbers of those of `uids` that are there.
    package func sequenceNumbers(of uids: UIDSet) -> UIDSet {
        var ranges: [ClosedRange<UInt32>] = []
        for range in existing(uids).ranges {
            guard let low = sequenceNumber(of: UID(rawValue: range.lowerBound)) else { continue }
            ranges.append(low...(low + range.upperBound - range.lowerBound))
        }
        return UIDSet(ranges)
    }

    /// Visits the messages of `uids` that are there, in ascending order.
    package func forEach(
        in uids: UIDSet,
        _ body: (_ number: UInt32, _ uid: UID, _ flags: MessageFlags) -> Void
    ) {
        for range in existing(uids).ranges {
            guard var number = sequenceNumber(of: UID(rawValue: range.lowerBound)) else {
                continue
            }
            for uid in range {
                let (chunk, slot) = Self.place(uid)
                body(number, UID(rawValue: uid), chunks[chunk].flags(at: slot))
                number += 1
            }
        }
    }
}

// MARK: - Bringing forward

extension MailboxSnapshot {
    /// Takes over a later state: the whole of every chunk that has changed since.
    mutating func advance(
        uidNext: UInt32,
        highestModSeq: ModSeq,
        keywords: KeywordTable,
        chunks changed: [(number: Int, state: ChunkState)]
    ) {
        self.uidNext = uidNext
        self.highestModSeq = highestModSeq
        self.keywords = keywords
        let known = chunks.count
        fitChunks(counting: false)
        for (number, state) in changed where number < chunks.count { chunks[number] = state }
        let firstChanged = changed.lazy.map(\.number).min() ?? known
        count(from: Swift.max(0, Swift.min(firstChanged, known - 1)))
    }

    /// This later state, except that what `earlier` still shows stays visible.
    ///
    /// For the commands during which no EXPUNGE may be sent: flags and arrivals are those of this
    /// state, sequence numbers those of `earlier`.
    ///
    /// RFC 9051 §7.5.1
    package func keeping(visible earlier: MailboxSnapshot) -> MailboxSnapshot {
        var result = self
        for chunk in earlier.chunks.indices where chunk < chunks.count {
            let expunged = chunks[chunk].slots(in: ChunkState.Column.expunged)
            let hidden = expunged.intersection(earlier.live(in: chunk))
            guard !hidden.isEmpty else { continue }
            result.chunks[chunk].remove(hidden, from: ChunkState.Column.expunged)
            result.holdsBack = true
        }
        if result.holdsBack { result.count(from: 0) }
        return result
    }

    /// What a client that knows `earlier` must be told to know this state.
    package func changes(since earlier: MailboxSnapshot) -> MailboxChanges {
        var changes = MailboxChanges()
        if uidNext > earlier.uidNext {
            changes.arrived = existing(UIDSet(earlier.uidNext...(uidNext - 1)))
        }
        var expunged: [ClosedRange<UInt32>] = []
        var flags: [ClosedRange<UInt32>] = []
        for chunk in earlier.chunks.indices where chunk < chunks.count {
            let state = chunks[chunk]
            let changed = state.highestModSeq > earlier.highestModSeq.rawValue
            guard changed || earlier.holdsBack else { continue }
            let known = earlier.live(in: chunk)
            let gone = known.subtracting(live(in: chunk))
            Self.append(gone, of: chunk, to: &expunged)
            guard changed else { continue }
            let altered = state.changed(since: earlier.highestModSeq.rawValue)
            Self.append(
                altered.intersection(known).subtracting(gone),
                of: chunk,
                to: &flags
            )
        }
        changes.expunged = UIDSet(expunged)
        changes.flagsChanged = UIDSet(flags)
        return changes
    }
}

/// The difference between two states of a mailbox.
package struct MailboxChanges: Sendable {
    /// UIDs that were there and are expunged.
    package var expunged = UIDSet()
    /// UIDs, there in both, whose flags changed.
    package var flagsChanged = UIDSet()
    /// New UIDs that are there.
    package var arrived = UIDSet()

    package var isEmpty: Bool {
        expunged.isEmpty && flagsChanged.isEmpty && arrived.isEmpty
    }
}

// MARK: - Chunks

extension MailboxSnapshot {
    static func place(_ uid: UInt32) -> (chunk: Int, slot: Int) {
        (Int(uid >> 10), Int(uid & 1_023))
    }

    /// The slots of `chunk` that hold a message: below UIDNEXT and not expunged; UID 0 is none.
    func live(in chunk: Int) -> SlotSet {
        let end = Swift.min(Int(uidNext) - chunk * SlotSet.span, SlotSet.span)
        let start = chunk == 0 ? 1 : 0
        guard start < end else { return SlotSet() }
        return SlotSet(start..<end)
            .subtracting(chunks[chunk].slots(in: ChunkState.Column.expunged))
    }

    private mutating func fitChunks(counting: Bool = true) {
        let needed = uidNext <= 1 ? 0 : Int((uidNext - 1) >> 10) + 1
        let known = chunks.count
        while chunks.count < needed { chunks.append(ChunkState()) }
        if counting { count(from: Swift.max(0, known - 1)) }
    }

    private mutating func count(from first: Int) {
        messagesBefore.removeSubrange((first + 1)...)
        for chunk in first..<Swift.max(first, chunks.count) {
            messagesBefore.append(messagesBefore[chunk] + UInt32(live(in: chunk).count))
        }
    }

    private func chunk(holding number: UInt32) -> Int {
        var low = 0
        var high = chunks.count - 1
        while low < high {
            let middle = (low + high) / 2
            if messagesBefore[middle + 1] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func uids(matching slots: (MailboxSnapshot, Int) -> SlotSet) -> UIDSet {
        guard !chunks.isEmpty else { return UIDSet() }
        return uids(in: 0...(chunks.count - 1), matching: slots)
    }

    private func uids(
        in wanted: ClosedRange<Int>,
        matching slots: (MailboxSnapshot, Int) -> SlotSet
    ) -> UIDSet {
        guard !chunks.isEmpty, wanted.lowerBound < chunks.count else { return UIDSet() }
        var ranges: [ClosedRange<UInt32>] = []
        for chunk in wanted.lowerBound...Swift.min(wanted.upperBound, chunks.count - 1) {
            Self.append(slots(self, chunk), of: chunk, to: &ranges)
        }
        return UIDSet(ranges)
    }

    private static func append(
        _ slots: SlotSet,
        of chunk: Int,
        to ranges: inout [ClosedRange<UInt32>]
    ) {
        let base = UInt32(chunk * SlotSet.span)
        slots.forEachRun { run in
            ranges.append((base + UInt32(run.lowerBound))...(base + UInt32(run.upperBound - 1)))
        }
    }
}
