package import Mail
import Wire

/// Which messages a command is about: numbers, ranges, `*`, or the saved search result.
///
/// RFC 9051 §9: `sequence-set`, RFC 5182 §2.1
package enum SequenceSet: Hashable, Sendable {
    case ranges([Range])
    /// `$`
    case savedResult

    /// One number or `*`.
    package enum Bound: Hashable, Sendable {
        case number(UInt32)
        /// `*`, the largest number in use.
        case last
    }

    /// Two bounds in either order; one number is twice the same bound.
    package struct Range: Hashable, Sendable {
        package let first: Bound
        package let second: Bound

        package init(_ first: Bound, _ second: Bound) {
            self.first = first
            self.second = second
        }
    }

    /// The numbers meant when `*` is `last`; with `last` zero nothing is in use and `*` is nothing.
    package func numbers(last: UInt32) -> UIDSet {
        guard case .ranges(let ranges) = self else { return UIDSet() }
        return UIDSet(
            ranges.compactMap { range -> ClosedRange<UInt32>? in
                let a = range.first.value(last: last)
                let b = range.second.value(last: last)
                guard a > 0, b > 0 else { return nil }
                return min(a, b)...max(a, b)
            }
        )
    }

    /// The largest number written in the set, without `*`; zero when there is none.
    package var largestNumber: UInt32 {
        guard case .ranges(let ranges) = self else { return 0 }
        return ranges.reduce(0) { max($0, $1.first.value(last: 0), $1.second.value(last: 0)) }
    }
}

extension SequenceSet.Bound {
    fileprivate func value(last: UInt32) -> UInt32 {
        switch self {
        case .number(let number): number
        case .last: last
        }
    }
}

extension Parser {
    mutating func sequenceSet() throws(Refusal) -> SequenceSet {
        if take(.dollar) { return .savedResult }
        var ranges: [SequenceSet.Range] = []
        repeat {
            let first = try bound()
            ranges.append(SequenceSet.Range(first, take(.colon) ? try bound() : first))
        } while take(.comma)
        return .ranges(ranges)
    }

    private mutating func bound() throws(Refusal) -> SequenceSet.Bound {
        take(.star) ? .last : .number(try nonZero())
    }

    /// A set without `*`, as the client's knowledge of a mailbox is given.
    ///
    /// RFC 7162 §7: `known-uids`
    mutating func knownSet() throws(Refusal) -> UIDSet {
        let set = try sequenceSet()
        guard case .ranges(let ranges) = set,
            ranges.allSatisfy({ $0.first != .last && $0.second != .last })
        else { throw .bad("Syntax error: * and $ are not allowed here") }
        return set.numbers(last: 0)
    }
}
