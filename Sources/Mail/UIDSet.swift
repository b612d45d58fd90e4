/// A set of message numbers kept as sorted, disjoint, non-adjacent closed ranges.
///
/// Serves UIDs and sequence numbers alike; its size is the number of ranges, not of members, so
/// `1:*` costs one range.
package struct UIDSet: Hashable, Sendable {
    @usableFromInline var storage: [ClosedRange<UInt32>]

    @inlinable package init() {
        storage = []
    }

    package init(_ range: ClosedRange<UInt32>) {
        storage = [range]
    }

    /// Joins ranges given in any order, overlapping or not.
    package init(_ ranges: some Sequence<ClosedRange<UInt32>>) {
        storage = []
        let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
        storage.reserveCapacity(sorted.count)
        for range in sorted {
            if let last = storage.last,
                range.lowerBound <= last.upperBound
                    || range.lowerBound - 1 == last.upperBound
            {
                storage[storage.count - 1] =
                    last.lowerBound...Swift.max(last.upperBound, range.upperBound)
            } else {
                storage.append(range)
            }
        }
    }

    /// The ranges in ascending order.
    @inlinable package var ranges: [ClosedRange<UInt32>] { storage }

    @inlinable package var isEmpty: Bool { storage.isEmpty }

    /// How many numbers the set holds.
    package var count: Int {
        storage.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) + 1 }
    }

    package var min: UInt32? { storage.first?.lowerBound }
    package var max: UInt32? { storage.last?.upperBound }

    package func contains(_ number: UInt32) -> Bool {
        var low = 0
        var high = storage.count
        while low < high {
            let middle = (low + high) / 2
            if storage[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        return low < storage.count && storage[low].lowerBound <= number
    }

    /// Adds one number; constant time when numbers come in ascending order.
    package mutating func insert(_ number: UInt32) {
        guard let last = storage.last else {
            storage.append(number...number)
            return
        }
        if number > last.upperBound {
            if number - 1 == last.upperBound {
                storage[storage.count - 1] = last.lowerBound...number
            } else {
                storage.append(number...number)
            }
            return
        }
        if last.contains(number) { return }
        if !contains(number) { self = union(UIDSet(number...number)) }
    }

    package func union(_ other: UIDSet) -> UIDSet {
        if isEmpty { return other }
        if other.isEmpty { return self }
        return UIDSet(storage + other.storage)
    }

    package func intersection(_ other: UIDSet) -> UIDSet {
        var result = UIDSet()
        var i = 0
        var j = 0
        while i < storage.count, j < other.storage.count {
            let low = Swift.max(storage[i].lowerBound, other.storage[j].lowerBound)
            let high = Swift.min(storage[i].upperBound, other.storage[j].upperBound)
            if low <= high { result.storage.append(low...high) }
            if storage[i].upperBound < other.storage[j].upperBound { i += 1 } else { j += 1 }
        }
        return result
    }

    package func subtracting(_ other: UIDSet) -> UIDSet {
        var result = UIDSet()
        var j = 0
        for range in storage {
            var low = range.lowerBound
            var exhausted = false
            while j < other.storage.count, other.storage[j].upperBound < low { j += 1 }
            var k = j
            while k < other.storage.count, other.storage[k].lowerBound <= range.upperBound {
                let hole = other.storage[k]
                if hole.lowerBound > low { result.storage.append(low...(hole.lowerBound - 1)) }
                guard hole.upperBound < range.upperBound else {
                    exhausted = true
                    break
                }
                low = Swift.max(low, hole.upperBound + 1)
                k += 1
            }
            if !exhausted { result.storage.append(low...range.upperBound) }
        }
        return result
    }
}

extension UIDSet: Sequence {
    /// Visits every number in ascending order.
    package struct Iterator: IteratorProtocol {
        @usableFromInline let ranges: [ClosedRange<UInt32>]
        @usableFromInline var index = 0
        @usableFromInline var upcoming: UInt32?

        @usableFromInline init(_ ranges: [ClosedRange<UInt32>]) {
            self.ranges = ranges
            upcoming = ranges.first?.lowerBound
        }

        @inlinable package mutating func next() -> UInt32? {
            guard let number = upcoming else { return nil }
            if number < ranges[index].upperBound {
                upcoming = number + 1
            } else {
                index += 1
                upcoming = index < ranges.count ? ranges[index].lowerBound : nil
            }
            return number
        }
    }

    @inlinable package func makeIterator() -> Iterator { Iterator(storage) }
}

extension UIDSet: CustomStringConvertible {
    /// The wire form, as in `1:3,7`; empty for the empty set.
    package var description: String {
        storage.map { range in
            range.count == 1
                ? "\(range.lowerBound)" : "\(range.lowerBound):\(range.upperBound)"
        }.joined(separator: ",")
    }
}
