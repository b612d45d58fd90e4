import Glibc

extension UnsafeBufferPointer<UInt8> {
    /// The first index of `byte` in `range`, by `memchr`.
    func firstIndex(ofByte byte: UInt8, in range: Range<Int>) -> Int? {
        guard let baseAddress, !range.isEmpty, range.upperBound <= count,
            let found = memchr(baseAddress + range.lowerBound, Int32(byte), range.count)
        else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(baseAddress)
    }
}
