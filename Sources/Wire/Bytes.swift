public import Glibc

// `[UInt8]` and `ArraySlice<UInt8>` are the currency of bytes between the rooms: safe subscripts,
// no Foundation, and as fast as a grammar needs. Only `Net` sees NIO's buffers.

extension Array<UInt8> {
    /// Appends the UTF-8 bytes of a literal.
    @inlinable package mutating func append(_ text: StaticString) {
        append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        )
    }

    /// Appends the UTF-8 bytes of `text`.
    @inlinable package mutating func append(text: String) {
        append(contentsOf: text.utf8)
    }

    /// Appends `number` in decimal digits, without going through String.
    @inlinable package mutating func append(decimal number: some BinaryInteger & Sendable) {
        var rest = UInt64(number.magnitude)
        if number < 0 { append(0x2D) }
        if rest < 10 { return append(0x30 &+ UInt8(truncatingIfNeeded: rest)) }
        var digits = 2
        var bound: UInt64 = 100
        while rest >= bound, digits < 20 {
            digits += 1
            bound = digits < 20 ? bound * 10 : bound
        }
        append(contentsOf: repeatElement(0x30, count: digits))
        var index = count
        while rest > 0 {
            index -= 1
            self[index] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    /// Appends CR LF.
    @inlinable package mutating func appendCRLF() {
        append(0x0D)
        append(0x0A)
    }
}

extension ArraySlice<UInt8> {
    /// The first index of `byte` at or after `start`, by `memchr`.
    ///
    /// Four times the speed of a byte loop over header lines.
    @inlinable package func firstIndex(ofByte byte: UInt8, from start: Int? = nil) -> Int? {
        let from = start ?? startIndex
        guard from >= startIndex, from < endIndex else { return nil }
        return withUnsafeBufferPointer { buffer -> Int? in
            guard let base = buffer.baseAddress else { return nil }
            let offset = from - startIndex
            guard
                let found = memchr(base + offset, Int32(byte), buffer.count - offset)
            else { return nil }
            return startIndex + (UnsafeRawPointer(found) - UnsafeRawPointer(base))
        }
    }

    /// These bytes without blanks (space, tab, CR, LF) at either end.
    package var trimmed: ArraySlice<UInt8> {
        var slice = self
        while let first = slice.first, first.isBlank || first == .cr || first == .lf {
            slice.removeFirst()
        }
        while let last = slice.last, last.isBlank || last == .cr || last == .lf {
            slice.removeLast()
        }
        return slice
    }
}

extension Array<UInt8> {
    /// The first index of `byte` at or after `start`, by `memchr`.
    @inlinable package func firstIndex(ofByte byte: UInt8, from start: Int = 0) -> Int? {
        self[...].firstIndex(ofByte: byte, from: start)
    }
}

extension String {
    /// Decodes UTF-8 strictly; nil when the bytes are not well-formed.
    package init?(utf8 bytes: some Collection<UInt8>) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        self = text
    }

    /// Decodes UTF-8, putting U+FFFD where it is not well-formed.
    package init(lossyUTF8 bytes: some Collection<UInt8>) {
        self = String(decoding: bytes, as: UTF8.self)
    }
}
