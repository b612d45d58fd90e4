/// The base 16 encoding of bytes.
///
/// RFC 4648 §8
package enum Hex {
    /// Encodes in lower-case digits.
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var digits: [UInt8] = []
        for byte in bytes {
            digits.append(digit(byte >> 4))
            digits.append(digit(byte & 0xF))
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// Decodes digits of either case; nil when one is missing or is no digit.
    package static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        var rest = text
        while let high = rest.popFirst(), let low = rest.popFirst() {
            guard let high = high.hexValue, let low = low.hexValue else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// Decodes digits of either case; nil when one is missing or is no digit.
    package static func decode(_ text: String) -> [UInt8]? { decode([UInt8](text.utf8)[...]) }

    /// The lower-case digit of a value below 16.
    @inlinable package static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 &+ value : 0x57 &+ (value & 0xF)
    }
}
