/// Reads bytes and LEB128 numbers; nil wherever the bytes end early or a number is out of bounds.
struct LEB128Reader {
    let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { position == bytes.count }

    mutating func byte() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func number(below limit: Int) -> Int? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 63 {
            guard let byte = byte() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 {
                guard value <= UInt64(Int.max), Int(value) < limit else { return nil }
                return Int(value)
            }
            shift += 7
        }
        return nil
    }
}

extension Array<UInt8> {
    /// Appends `number`, seven bits at a time, the lowest first.
    mutating func append(leb128 number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}
