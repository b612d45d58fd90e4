/// What has happened to the messages of 1,024 consecutive UIDs since they arrived.
///
/// The empty value says: all there, no flags, as delivered. Columns without a set bit are not
/// kept. One list of mod-sequences serves changes and expunges alike, because an expunged message
/// does not change any more; a slot outside the list has the mod-sequence of its arrival, which
/// stands in its message row.
struct ChunkState: Equatable, Sendable {
    /// What a bit column says; the raw value is its number in the stored form.
    enum Column {
        static let expunged: UInt16 = 0
        static let seen: UInt16 = 1
        static let answered: UInt16 = 2
        static let flagged: UInt16 = 3
        static let deleted: UInt16 = 4
        static let draft: UInt16 = 5
        /// Keyword `n` of the mailbox is column `firstKeyword + n`; 6 to 15 are reserved.
        static let firstKeyword: UInt16 = 16
    }

    /// Slots whose last change has one mod-sequence.
    struct Run: Equatable, Sendable {
        var start: UInt16
        var count: UInt16
        var modSeq: Int64

        var slots: Range<Int> { Int(start)..<(Int(start) + Int(count)) }
    }

    /// Numbers of the columns that have a set bit, ascending.
    private(set) var columns: [UInt16] = []
    /// Sixteen words for each of `columns`.
    private(set) var words: [UInt64] = []
    /// Ascending, disjoint.
    private(set) var runs: [Run] = []
    /// The mod-sequence of the last operation that touched this chunk; zero when none has.
    var highestModSeq: Int64 = 0

    init() {}

    /// Nil unless `columns` and `runs` keep the order that this type promises.
    init?(columns: [(UInt16, SlotSet)], runs: [Run], highestModSeq: Int64) {
        for (column, slots) in columns {
            if let last = self.columns.last, column <= last { return nil }
            if slots.isEmpty { return nil }
            self.columns.append(column)
            append(slots)
        }
        var end = 0
        for run in runs {
            guard run.count > 0, Int(run.start) >= end, run.slots.upperBound <= SlotSet.span,
                run.modSeq > 0
            else { return nil }
            end = run.slots.upperBound
        }
        self.runs = runs
        self.highestModSeq = highestModSeq
    }

    /// The slots whose bit is set in `column`.
    func slots(in column: UInt16) -> SlotSet {
        guard let index = columns.firstIndex(of: column) else { return SlotSet() }
        return slots(at: index)
    }

    func slots(at index: Int) -> SlotSet {
        var result = SlotSet()
        let base = index * SlotSet.wordCount
        for offset in 0..<SlotSet.wordCount { result.words[offset] = words[base + offset] }
        return result
    }

    func contains(_ slot: Int, in column: UInt16) -> Bool {
        guard let index = columns.firstIndex(of: column) else { return false }
        let word = words[index * SlotSet.wordCount + slot >> 6]
        return word & (1 << UInt64(slot & 63)) != 0
    }

    /// Makes `slots` the members of `column`.
    mutating func set(_ column: UInt16, to slots: SlotSet) {
        let index = columns.firstIndex { $0 >= column } ?? columns.count
        let exists = index < columns.count && columns[index] == column
        let base = index * SlotSet.wordCount
        switch (exists, slots.isEmpty) {
        case (false, true): return
        case (true, true):
            columns.remove(at: index)
            words.removeSubrange(base..<(base + SlotSet.wordCount))
        case (false, false):
            columns.insert(column, at: index)
            words.insert(
                contentsOf: (0..<SlotSet.wordCount).map { slots.words[$0] },
                at: base
            )
        case (true, false):
            for offset in 0..<SlotSet.wordCount { words[base + offset] = slots.words[offset] }
        }
    }

    mutating func insert(_ slots: SlotSet, into column: UInt16) {
        set(column, to: self.slots(in: column).union(slots))
    }

    mutating func remove(_ slots: SlotSet, from column: UInt16) {
        set(column, to: self.slots(in: column).subtracting(slots))
    }

    /// The flags of one message.
    func flags(at slot: Int) -> MessageFlags {
        var flags = MessageFlags()
        let word = slot >> 6
        let bit = UInt64(1) << UInt64(slot & 63)
        for (index, column) in columns.enumerated()
        where words[index * SlotSet.wordCount + word] & bit != 0 {
            flags.insert(column: column)
        }
        return flags
    }

    /// The mod-sequence of the last change of `slot`; zero when it is as it arrived.
    func modSeq(at slot: Int) -> Int64 {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].slots.upperBound <= slot { low = middle + 1 } else { high = middle }
        }
        guard low < runs.count, runs[low].slots.contains(slot) else { return 0 }
        return runs[low].modSeq
    }

    /// The slots whose last change came after `modSeq`, arrivals not counted.
    func changed(since modSeq: Int64) -> SlotSet {
        var result = SlotSet()
        guard highestModSeq > modSeq else { return result }
        for run in runs where run.modSeq > modSeq { result.insert(run.slots) }
        return result
    }

    /// Records that `slots` changed last at `modSeq`, which is the highest so far.
    mutating func stamp(_ slots: SlotSet, with modSeq: Int64) {
        var all = [Int64](repeating: 0, count: SlotSet.span)
        for run in runs {
            for slot in run.slots { all[slot] = run.modSeq }
        }
        slots.forEachRun { range in
            for slot in range { all[slot] = modSeq }
        }
        runs.removeAll(keepingCapacity: true)
        for (slot, value) in all.enumerated() where value != 0 {
            if let last = runs.last, last.modSeq == value, last.slots.upperBound == slot {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(Run(start: UInt16(slot), count: 1, modSeq: value))
            }
        }
        highestModSeq = modSeq
    }

    private mutating func append(_ slots: SlotSet) {
        for offset in 0..<SlotSet.wordCount { words.append(slots.words[offset]) }
    }
}
