/// A set of the 1,024 slots of a chunk: one bit each.
struct SlotSet: Sendable {
    static let span = 1_024
    static let wordCount = 16

    var words: InlineArray<16, UInt64>

    init() {
        words = InlineArray(repeating: 0)
    }

    /// The slots of `range`, which lies within 0..<1,024.
    init(_ range: Range<Int>) {
        self.init()
        insert(range)
    }

    static let all = SlotSet(0..<span)

    var isEmpty: Bool {
        for index in 0..<Self.wordCount where words[index] != 0 { return false }
        return true
    }

    var count: Int {
        var sum = 0
        for index in 0..<Self.wordCount { sum += words[index].nonzeroBitCount }
        return sum
    }

    func contains(_ slot: Int) -> Bool {
        words[slot >> 6] & (1 << UInt64(slot & 63)) != 0
    }

    mutating func insert(_ slot: Int) {
        words[slot >> 6] |= 1 << UInt64(slot & 63)
    }

    mutating func insert(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        let first = range.lowerBound >> 6
        let last = (range.upperBound - 1) >> 6
        let low = ~UInt64(0) << UInt64(range.lowerBound & 63)
        let high = ~UInt64(0) >> UInt64(63 - (range.upperBound - 1) & 63)
        if first == last {
            words[first] |= low & high
            return
        }
        words[first] |= low
        for index in (first + 1)..<last { words[index] = ~0 }
        words[last] |= high
    }

    /// How many members are below `slot`.
    func rank(of slot: Int) -> Int {
        var sum = 0
        for index in 0..<(slot >> 6) { sum += words[index].nonzeroBitCount }
        let below = words[slot >> 6] & ((1 << UInt64(slot & 63)) &- 1)
        return sum + below.nonzeroBitCount
    }

    /// The member with `rank` members below it.
    func member(atRank rank: Int) -> Int? {
        var left = rank
        for index in 0..<Self.wordCount {
            var word = words[index]
            let here = word.nonzeroBitCount
            if left >= here {
                left -= here
                continue
            }
            for _ in 0..<left { word &= word &- 1 }
            return index << 6 + word.trailingZeroBitCount
        }
        return nil
    }

    /// The lowest member at or after `slot`.
    func next(from slot: Int) -> Int? {
        guard slot < Self.span else { return nil }
        var index = slot >> 6
        var word = words[index] & (~UInt64(0) << UInt64(slot & 63))
        while word == 0 {
            index += 1
            guard index < Self.wordCount else { return nil }
            word = words[index]
        }
        return index << 6 + word.trailingZeroBitCount
    }

    /// Visits the maximal runs of members in ascending order.
    func forEachRun(_ body: (Range<Int>) -> Void) {
        var start = next(from: 0)
        let holes = subtracted(from: .all)
        while let low = start {
            let high = holes.next(from: low) ?? Self.span
            body(low..<high)
            start = next(from: high)
        }
    }

    func union(_ other: SlotSet) -> SlotSet { combined(other) { $0 | $1 } }

    func intersection(_ other: SlotSet) -> SlotSet { combined(other) { $0 & $1 } }

    func subtracting(_ other: SlotSet) -> SlotSet { combined(other) { $0 & ~$1 } }

    private func subtracted(from other: SlotSet) -> SlotSet { combined(other) { ~$0 & $1 } }

    private func combined(_ other: SlotSet, _ join: (UInt64, UInt64) -> UInt64) -> SlotSet {
        var result = SlotSet()
        for index in 0..<Self.wordCount {
            result.words[index] = join(words[index], other.words[index])
        }
        return result
    }
}

extension SlotSet: Equatable {
    static func == (a: SlotSet, b: SlotSet) -> Bool {
        for index in 0..<wordCount where a.words[index] != b.words[index] { return false }
        return true
    }
}
