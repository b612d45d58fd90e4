import Wire

/// The encoding of ESMTP parameter values that may hold any octet.
///
///     xchar = %x21-2A / %x2C-3C / %x3E-7E      hexchar = "+" 2(%x30-39 / %x41-46)
///
/// RFC 3461 §4
package enum XText {
    /// Decodes; nil for anything that is not xtext, octets above 127 taken as they are.
    ///
    /// RFC 3461 §4, RFC 6533 §3
    package static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var cursor = Cursor(text)
        while let byte = cursor.next() {
            if byte == 0x2B {
                guard let high = upperHex(cursor.next()), let low = upperHex(cursor.next()) else {
                    return nil
                }
                result.append(high << 4 | low)
            } else {
                guard byte > 0x20, byte != 0x7F, byte != 0x3D else { return nil }
                result.append(byte)
            }
        }
        return result
    }

    /// Encodes whatever is not an xchar.
    package static func encode(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in bytes {
            if (0x21...0x7E).contains(byte), byte != 0x2B, byte != 0x3D {
                result.append(byte)
            } else {
                result += [0x2B, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return result
    }

    private static func upperHex(_ byte: UInt8?) -> UInt8? {
        guard let byte, !(0x61...0x66).contains(byte) else { return nil }
        return byte.hexValue
    }
}
