import Testing

@testable import Store

@Suite struct ChunkStateTests {
    @Test(arguments: 1...12)
    func `decodes what it encoded and agrees with a naive model`(seed: UInt64) throws {
        var random = RandomNumbers(seed: seed)
        var chunk = ChunkState()
        var model = [Int: (columns: Set<UInt16>, modSeq: Int64)]()
        let columns: [UInt16] = [0, 1, 2, 3, 4, 5, 16, 17, 143]

        for modSeq in Int64(1)...Int64.random(in: 1...60, using: &random) {
            let slots = randomSlots(using: &random)
            let column = columns.randomElement(using: &random) ?? 1
            let inserts = Bool.random(using: &random)
            if inserts {
                chunk.insert(slots, into: column)
            } else {
                chunk.remove(slots, from: column)
            }
            chunk.stamp(slots, with: modSeq * 1_000_003)
            for slot in 0..<SlotSet.span where slots.contains(slot) {
                var entry = model[slot] ?? ([], 0)
                if inserts { entry.columns.insert(column) } else { entry.columns.remove(column) }
                entry.modSeq = modSeq * 1_000_003
                model[slot] = entry
            }
        }

        var agrees = true
        for slot in 0..<SlotSet.span {
            let expected = model[slot] ?? ([], 0)
            agrees = agrees && chunk.modSeq(at: slot) == expected.modSeq
            for column in columns {
                let there = expected.columns.contains(column)
                agrees = agrees && chunk.contains(slot, in: column) == there
            }
        }
        #expect(agrees)
        let since = chunk.highestModSeq / 2
        let changed = chunk.changed(since: since)
        #expect(
            (0..<SlotSet.span).allSatisfy {
                changed.contains($0) == ((model[$0]?.modSeq ?? 0) > since)
            }
        )
        let bytes = chunk.encoded()
        #expect(decode(bytes, chunk.highestModSeq) == chunk)
    }

    @Test(arguments: 1...8)
    func `damaged bytes are refused or decode to a chunk that encodes`(seed: UInt64) {
        var random = RandomNumbers(seed: seed)
        var chunk = ChunkState()
        for modSeq in Int64(1)...20 {
            let slots = randomSlots(using: &random)
            chunk.insert(slots, into: UInt16.random(in: 0...20, using: &random))
            chunk.stamp(slots, with: modSeq)
        }
        let good = chunk.encoded()
        #expect(decode(Array(good.dropLast()), 20) == nil)
        #expect(decode(good + [0], 20) == nil)
        for _ in 0..<200 {
            var bytes = good
            bytes[Int.random(in: bytes.indices, using: &random)] = .random(
                in: 0...255,
                using: &random
            )
            guard let other = decode(bytes, 20) else { continue }
            #expect(decode(other.encoded(), 20) == other)
        }
    }

    @Test func `a chunk that is all seen takes a handful of bytes`() {
        var chunk = ChunkState()
        chunk.insert(.all, into: ChunkState.Column.seen)
        chunk.stamp(.all, with: 1_234_567)
        #expect(chunk.encoded().count <= 16)
        #expect(ChunkState().encoded() == [1, 0, 0])
    }

    @Test(arguments: 1...8)
    func `rank, member, runs and counting agree`(seed: UInt64) {
        var random = RandomNumbers(seed: seed)
        let slots = randomSlots(using: &random)
        let members = (0..<SlotSet.span).filter { slots.contains($0) }
        #expect(slots.count == members.count)
        for (rank, slot) in members.enumerated() {
            #expect(slots.rank(of: slot) == rank)
            #expect(slots.member(atRank: rank) == slot)
        }
        #expect(slots.member(atRank: members.count) == nil)
        var fromRuns: [Int] = []
        slots.forEachRun { fromRuns += Array($0) }
        #expect(fromRuns == members)
        for range in [0..<1, 0..<64, 63..<65, 1..<1_024, 1_023..<1_024, 128..<192] {
            let filled = SlotSet(range)
            #expect((0..<SlotSet.span).allSatisfy { filled.contains($0) == range.contains($0) })
        }
    }
}

/// Sparse, dense, and made of runs, in turn.
private func randomSlots(using random: inout RandomNumbers) -> SlotSet {
    var slots = SlotSet()
    switch Int.random(in: 0...2, using: &random) {
    case 0:
        for _ in 0..<Int.random(in: 0...20, using: &random) {
            slots.insert(.random(in: 0..<SlotSet.span, using: &random))
        }
    case 1:
        for slot in 0..<SlotSet.span where Bool.random(using: &random) { slots.insert(slot) }
    default:
        let low = Int.random(in: 0..<SlotSet.span, using: &random)
        slots.insert(low..<Int.random(in: (low + 1)...SlotSet.span, using: &random))
    }
    return slots
}

private func decode(_ bytes: [UInt8], _ highestModSeq: Int64) -> ChunkState? {
    bytes.withUnsafeBytes { ChunkState(decoding: $0, highestModSeq: highestModSeq) }
}
