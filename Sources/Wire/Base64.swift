/// The base 64 encoding of bytes, strict for credentials and lenient for mail bodies.
///
/// RFC 4648 §4
package enum Base64 {
    /// Encodes without line breaks, with padding.
    package static func encode(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let size = (bytes.count + 2) / 3 * 4
        return [UInt8](unsafeUninitializedCapacity: size) { output, count in
            alphabet.withUnsafeBufferPointer { letters in
                bytes.withUnsafeBufferPointer { input in
                    count = encode(input, with: letters, into: output)
                }
            }
        }
    }

    /// Encodes without line breaks, with padding.
    package static func encode(_ bytes: [UInt8]) -> [UInt8] { encode(bytes[...]) }

    /// Encodes as text, without line breaks, with padding.
    package static func string(_ bytes: [UInt8]) -> String {
        String(decoding: encode(bytes), as: UTF8.self)
    }

    /// Encodes in lines of 76 characters, each ended by CR LF, as a body part wants.
    ///
    /// RFC 2045 §6.8
    package static func encodeLines(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var lines: [UInt8] = []
        lines.reserveCapacity(bytes.count / 57 * 78 + 80)
        var rest = bytes
        while !rest.isEmpty {
            lines.append(contentsOf: encode(rest.prefix(57)))
            lines.appendCRLF()
            rest = rest.dropFirst(57)
        }
        return lines
    }

    /// Decodes canonical base 64; nil for anything else, even a line break or a stray bit.
    ///
    /// RFC 4648 §3.3, §3.5
    package static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == pad }.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var digits = 0
        for byte in text.dropLast(padding) {
            let value = values[Int(byte)]
            guard value < 64 else { return nil }
            bits = bits << 6 | UInt32(value)
            digits += 1
            guard digits == 4 else { continue }
            append(bits, to: &bytes)
            bits = 0
            digits = 0
        }
        switch digits {
        case 0: return padding == 0 ? bytes : nil
        case 2:
            guard padding == 2, bits & 0xF == 0 else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: bits >> 4))
        case 3:
            guard padding == 1, bits & 0x3 == 0 else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: bits >> 10))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 2))
        default: return nil
        }
        return bytes
    }

    /// Decodes canonical base 64; nil for anything else, even a line break or a stray bit.
    package static func decode(_ text: [UInt8]) -> [UInt8]? { decode(text[...]) }

    /// Decodes a body, skipping every byte outside the alphabet, at most `limit` bytes of result.
    ///
    /// Padding closes the group before it and decoding goes on, since some senders join two
    /// encoded bodies; a lone digit at the end is dropped.
    ///
    /// RFC 2045 §6.8
    package static func decodeLeniently(
        _ text: ArraySlice<UInt8>,
        limit: Int = .max
    ) -> [UInt8] {
        let ceiling = min(text.count / 4 * 3 + 3, max(limit, 0) &+ 3)
        let size = ceiling < 0 ? text.count / 4 * 3 + 3 : ceiling
        var bytes = [UInt8](unsafeUninitializedCapacity: size) { output, count in
            values.withUnsafeBufferPointer { table in
                text.withUnsafeBufferPointer { input in
                    count = decode(input, with: table, into: output, limit: limit)
                }
            }
        }
        if bytes.count > limit { bytes.removeLast(bytes.count - max(limit, 0)) }
        return bytes
    }

    private static let pad: UInt8 = 0x3D
    private static let alphabet = [UInt8](
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    )

    // 0 to 63 for a digit, 64 for padding, 255 for the rest.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
        values[Int(pad)] = 64
        return values
    }()

    private static func append(_ bits: UInt32, to bytes: inout [UInt8]) {
        bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
        bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
        bytes.append(UInt8(truncatingIfNeeded: bits))
    }

    private static func encode(
        _ input: UnsafeBufferPointer<UInt8>,
        with letters: UnsafeBufferPointer<UInt8>,
        into output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        var out = 0
        var i = 0
        while i < input.count {
            let left = input.count - i
            let first = UInt32(input[i]) << 16
            let second = left > 1 ? UInt32(input[i + 1]) << 8 : 0
            let third = left > 2 ? UInt32(input[i + 2]) : 0
            let bits = first | second | third
            output[out] = letters[Int(bits >> 18)]
            output[out + 1] = letters[Int(bits >> 12 & 63)]
            output[out + 2] = left > 1 ? letters[Int(bits >> 6 & 63)] : pad
            output[out + 3] = left > 2 ? letters[Int(bits & 63)] : pad
            out += 4
            i += 3
        }
        return out
    }

    // Writes whole groups while there is room, so `output` holds three bytes more than the limit.
    private static func decode(
        _ input: UnsafeBufferPointer<UInt8>,
        with table: UnsafeBufferPointer<UInt8>,
        into output: UnsafeMutableBufferPointer<UInt8>,
        limit: Int
    ) -> Int {
        var out = 0
        var i = 0
        var bits: UInt32 = 0
        var digits = 0
        let last = output.count - 3
        while i < input.count, out < limit, out <= last {
            if digits == 0, i + 4 <= input.count {
                let a = table[Int(input[i])]
                let b = table[Int(input[i + 1])]
                let c = table[Int(input[i + 2])]
                let d = table[Int(input[i + 3])]
                if a | b | c | d < 64 {
                    bits = UInt32(a) << 18 | UInt32(b) << 12 | UInt32(c) << 6 | UInt32(d)
                    output[out] = UInt8(truncatingIfNeeded: bits >> 16)
                    output[out + 1] = UInt8(truncatingIfNeeded: bits >> 8)
                    output[out + 2] = UInt8(truncatingIfNeeded: bits)
                    bits = 0
                    out += 3
                    i += 4
                    continue
                }
            }
            let value = table[Int(input[i])]
            i += 1
            if value < 64 {
                bits = bits << 6 | UInt32(value)
                digits += 1
            }
            let closes = digits == 4 || value == 64 || i == input.count
            guard closes, digits > 0 else { continue }
            let kept = digits - 1
            bits <<= UInt32(6 * (4 - digits))
            for k in 0..<kept {
                output[out + k] = UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * k))
            }
            out += kept
            bits = 0
            digits = 0
        }
        return out
    }
}
