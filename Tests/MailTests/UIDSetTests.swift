import Mail
import Testing

@Suite struct UIDSetTests {
    @Test("the algebra agrees with a plain set of numbers", arguments: 0..<400)
    func algebra(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let a = Self.ranges(using: &random)
        let b = Self.ranges(using: &random)
        let setA = UIDSet(a)
        let setB = UIDSet(b)
        let plainA = Set(a.flatMap { $0 })
        let plainB = Set(b.flatMap { $0 })

        Self.expect(setA, plainA)
        Self.expect(setA.union(setB), plainA.union(plainB))
        Self.expect(setA.intersection(setB), plainA.intersection(plainB))
        Self.expect(setA.subtracting(setB), plainA.subtracting(plainB))

        var grown = UIDSet()
        for number in plainB.shuffled(using: &random) { grown.insert(number) }
        #expect(grown == setB)
    }

    @Test("both ends of the number space hold")
    func ends() {
        let all = UIDSet(1...UInt32.max)
        #expect(all.count == 4_294_967_295)
        #expect(all.subtracting(UIDSet(UInt32.max...UInt32.max)).max == UInt32.max - 1)
        #expect(all.subtracting(UIDSet(1...1)).min == 2)
        #expect(all.subtracting(all).isEmpty)
        #expect(all.description == "1:4294967295")
        var set = UIDSet(UInt32.max...UInt32.max)
        set.insert(UInt32.max)
        #expect(set.count == 1)
        #expect(Array(set) == [UInt32.max])
        #expect(UIDSet([0...5, UInt32.max...UInt32.max]).union(UIDSet(6...9)).ranges.count == 2)
    }

    private static func ranges(
        using random: inout SeededGenerator
    ) -> [ClosedRange<UInt32>] {
        (0..<Int.random(in: 0...12, using: &random)).map { _ in
            let low = UInt32.random(in: 1...60, using: &random)
            return low...(low + UInt32.random(in: 0...9, using: &random))
        }
    }

    private static func expect(_ set: UIDSet, _ plain: Set<UInt32>) {
        #expect(Array(set) == plain.sorted())
        #expect(set.count == plain.count)
        #expect(set.min == plain.min())
        #expect(set.max == plain.max())
        #expect((0...75).allSatisfy { set.contains($0) == plain.contains($0) })
        let pairs = zip(set.ranges, set.ranges.dropFirst())
        #expect(pairs.allSatisfy { $0.upperBound + 1 < $1.lowerBound })
    }
}

/// A small generator with a seed, so that a failure can be played again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
