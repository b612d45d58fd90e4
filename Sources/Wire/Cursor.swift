/// A reading position in a slice of bytes, for recursive-descent parsers.
///
/// Never reads past the end and never traps: at the end `peek` and `next()` are nil.
package struct Cursor: Sendable {
    @usableFromInline var bytes: ArraySlice<UInt8>

    @inlinable package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    @inlinable package init(_ bytes: [UInt8]) {
        self.bytes = bytes[...]
    }

    /// What has not been read yet.
    @inlinable package var rest: ArraySlice<UInt8> { bytes }

    @inlinable package var isAtEnd: Bool { bytes.isEmpty }

    /// Index in the original array of the next byte.
    @inlinable package var position: Int { bytes.startIndex }

    @inlinable package var peek: UInt8? { bytes.first }

    @inlinable package mutating func next() -> UInt8? { bytes.popFirst() }

    /// Takes `byte` if it comes next.
    @inlinable package mutating func take(_ byte: UInt8) -> Bool {
        guard bytes.first == byte else { return false }
        bytes = bytes.dropFirst()
        return true
    }

    /// Takes `text` if it comes next, letters compared without case.
    @inlinable package mutating func take(_ text: StaticString) -> Bool {
        guard bytes.startsIgnoringCase(with: text) else { return false }
        bytes = bytes.dropFirst(text.utf8CodeUnitCount)
        return true
    }

    /// Takes the longest run of bytes that satisfy `condition`, at most `limit` of them.
    @inlinable package mutating func take(
        upTo limit: Int = .max,
        while condition: (UInt8) -> Bool
    ) -> ArraySlice<UInt8> {
        var end = bytes.startIndex
        let last = limit < bytes.count ? bytes.startIndex + limit : bytes.endIndex
        while end < last, condition(bytes[end]) { end += 1 }
        let taken = bytes[bytes.startIndex..<end]
        bytes = bytes[end...]
        return taken
    }

    /// Takes exactly `count` bytes, or nothing when fewer are left.
    @inlinable package mutating func take(count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, bytes.count >= count else { return nil }
        let taken = bytes.prefix(count)
        bytes = bytes.dropFirst(count)
        return taken
    }

    /// Takes a run of decimal digits as a number that fits `Number`; nil, and nothing taken, when
    /// there is no digit or the value does not fit.
    @inlinable package mutating func takeNumber<Number: FixedWidthInteger>(
        _: Number.Type = Number.self
    ) -> Number? {
        let start = bytes
        var value: Number = 0
        var digits = 0
        while let byte = bytes.first, byte.isDigit {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Number(byte &- 0x30))
            if overflow || carry {
                bytes = start
                return nil
            }
            value = sum
            digits += 1
            bytes = bytes.dropFirst()
        }
        return digits > 0 ? value : nil
    }
}
