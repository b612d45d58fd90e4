import Wire

/// The sizes of the messages of a load and how often each occurs.
///
/// Written `4k`, or `4k:70,30k:25,500k:5` (size:weight), or `mix` for just these. The shares are exact in every run of as
/// many messages as the weights, reduced, add up to: 14, 5 and 1 of twenty for the example.
package struct SizeMix: Sendable {
    /// The size of each message of one turn, in bytes; turns are shuffled, each in its own order.
    private let turn: [Int]

    /// The sizes with their weights, as they were written.
    package let text: String

    /// At most this many messages make a turn.
    static let longestTurn = 10_000

    /// All messages of one size, in bytes.
    package init(bytes: Int) {
        turn = [bytes]
        text = String(bytes)
    }

    /// No message is larger than this, in bytes.
    static let largestSize = 1 << 30

    /// Reads `size[:weight][,…]`, a size being a number of bytes with an optional `k` or `m`.
    package init?(parsing text: String) {
        let text = text == "mix" ? "4k:70,30k:25,500k:5" : text
        var sizes: [(bytes: Int, weight: Int)] = []
        for part in text.split(separator: ",") {
            let fields = part.split(separator: ":", omittingEmptySubsequences: false)
            guard
                let first = fields.first, fields.count <= 2, let bytes = Self.bytes(String(first)),
                let weight = fields.count == 2 ? Int(fields[1]) : 1, weight > 0
            else { return nil }
            sizes.append((bytes, weight))
        }
        guard let first = sizes.first else { return nil }
        let divisor = sizes.reduce(first.weight) { Self.greatestCommonDivisor($0, $1.weight) }
        let total = sizes.reduce(0) { $0 + $1.weight / divisor }
        guard total <= Self.longestTurn else { return nil }
        turn = sizes.flatMap { Array(repeating: $0.bytes, count: $0.weight / divisor) }
        self.text = text
    }

    /// The size of message `index` of the load that `seed` names, in bytes.
    package func size(of index: Int, seed: UInt64) -> Int {
        if turn.count == 1 { return turn[0] }
        let (number, place) = index.quotientAndRemainder(dividingBy: turn.count)
        var random = RandomNumbers(seed: seed ^ UInt64(number) &* 0xA24B_AED4_963E_E407)
        return turn.shuffled(using: &random)[place]
    }

    /// The largest size of the mix, in bytes.
    package var largest: Int { turn.max() ?? 0 }

    private static func bytes(_ text: String) -> Int? {
        let units: [Character: Int] = ["k": 1024, "K": 1024, "m": 1 << 20, "M": 1 << 20]
        guard let last = text.last else { return nil }
        let unit = units[last]
        guard
            let number = Int(unit == nil ? text : String(text.dropLast())), number > 0,
            number <= largestSize / (unit ?? 1)
        else { return nil }
        return number * (unit ?? 1)
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        b == 0 ? a : greatestCommonDivisor(b, a % b)
    }
}
