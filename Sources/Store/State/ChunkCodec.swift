// The stored form of a chunk: `mailbox_state.value`. Numbers are LEB128, least significant first.
//
//   version        one byte, 1
//   columns        number; then for each, in ascending order of its number:
//     column         number: 0 expunged, 1 \Seen, 2 \Answered, 3 \Flagged, 4 \Deleted, 5 \Draft,
//                    16 + n keyword n of the mailbox
//     form           one byte: 0 runs, 1 bits
//     runs           number; for each: slots skipped since the last run, slots in the run less one
//     bits           128 bytes, slot 0 in the lowest bit of the first
//   mod-sequences  number of runs; when not zero, the lowest mod-sequence; for each run: slots
//                  skipped, slots in the run less one, its mod-sequence less the lowest
//
// A column without members is not written; the shorter of the two forms is. Anything else is
// refused: a damaged row must not become a guess.

extension ChunkState {
    private static let version: UInt8 = 1
    private static let runsForm: UInt8 = 0
    private static let bitsForm: UInt8 = 1
    private static let bitsLength = SlotSet.span / 8

    /// The bytes to store.
    func encoded() -> [UInt8] {
        var bytes: [UInt8] = [Self.version]
        bytes.append(leb128: UInt64(columns.count))
        for index in columns.indices {
            bytes.append(leb128: UInt64(columns[index]))
            Self.encode(slots(at: index), into: &bytes)
        }
        bytes.append(leb128: UInt64(runs.count))
        guard let lowest = runs.map(\.modSeq).min() else { return bytes }
        bytes.append(leb128: UInt64(lowest))
        var end = 0
        for run in runs {
            bytes.append(leb128: UInt64(Int(run.start) - end))
            bytes.append(leb128: UInt64(run.count - 1))
            bytes.append(leb128: UInt64(run.modSeq - lowest))
            end = run.slots.upperBound
        }
        return bytes
    }

    /// Nil when `bytes` are not exactly one stored chunk.
    init?(decoding bytes: UnsafeRawBufferPointer, highestModSeq: Int64) {
        var reader = LEB128Reader(bytes: bytes)
        guard reader.byte() == Self.version, let count = reader.number(below: 1 << 16) else {
            return nil
        }
        var columns: [(UInt16, SlotSet)] = []
        for _ in 0..<count {
            guard let column = reader.number(below: 1 << 16), let slots = Self.slots(&reader)
            else { return nil }
            columns.append((UInt16(column), slots))
        }
        guard let runs = Self.runs(&reader), reader.isAtEnd else { return nil }
        self.init(columns: columns, runs: runs, highestModSeq: highestModSeq)
    }

    private static func encode(_ slots: SlotSet, into bytes: inout [UInt8]) {
        var count = 0
        var runs: [UInt8] = []
        var end = 0
        slots.forEachRun { run in
            runs.append(leb128: UInt64(run.lowerBound - end))
            runs.append(leb128: UInt64(run.count - 1))
            end = run.upperBound
            count += 1
        }
        if runs.count + 2 < bitsLength {
            bytes.append(runsForm)
            bytes.append(leb128: UInt64(count))
            bytes += runs
        } else {
            bytes.append(bitsForm)
            for index in 0..<SlotSet.wordCount {
                var word = slots.words[index]
                for _ in 0..<8 {
                    bytes.append(UInt8(truncatingIfNeeded: word))
                    word >>= 8
                }
            }
        }
    }

    private static func slots(_ reader: inout LEB128Reader) -> SlotSet? {
        var slots = SlotSet()
        switch reader.byte() {
        case runsForm:
            guard let count = reader.number(below: SlotSet.span) else { return nil }
            var end = 0
            for _ in 0..<count {
                guard let run = reader.run(from: end) else { return nil }
                slots.insert(run)
                end = run.upperBound
            }
        case bitsForm:
            for index in 0..<SlotSet.wordCount {
                var word: UInt64 = 0
                for shift in 0..<8 {
                    guard let byte = reader.byte() else { return nil }
                    word |= UInt64(byte) << UInt64(shift * 8)
                }
                slots.words[index] = word
            }
        default: return nil
        }
        return slots
    }

    private static func runs(_ reader: inout LEB128Reader) -> [Run]? {
        guard let count = reader.number(below: SlotSet.span + 1) else { return nil }
        if count == 0 { return [] }
        guard let lowest = reader.number(below: .max) else { return nil }
        var runs: [Run] = []
        runs.reserveCapacity(count)
        var end = 0
        for _ in 0..<count {
            guard let slots = reader.run(from: end), let above = reader.number(below: .max),
                above <= Int.max - lowest
            else { return nil }
            runs.append(
                Run(
                    start: UInt16(slots.lowerBound),
                    count: UInt16(slots.count),
                    modSeq: Int64(lowest + above)
                )
            )
            end = slots.upperBound
        }
        return runs
    }
}

extension LEB128Reader {
    /// Slots that begin at or after `end`.
    fileprivate mutating func run(from end: Int) -> Range<Int>? {
        guard let gap = number(below: SlotSet.span), let less = number(below: SlotSet.span),
            end + gap + less < SlotSet.span
        else { return nil }
        return (end + gap)..<(end + gap + less + 1)
    }
}
