/// The encoding of mailbox names in IMAP4rev1.
///
/// RFC 3501 §5.1.3
package enum ModifiedUTF7 {
    /// Encodes a mailbox name; the only form that `decode` takes back.
    package static func encode(_ name: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var shifted: [UInt8] = []
        for scalar in name.unicodeScalars {
            if let byte = UInt8(exactly: scalar.value), (0x20...0x7E).contains(byte) {
                unshift(&shifted, into: &bytes)
                bytes.append(byte)
                if byte == ampersand { bytes.append(minus) }
            } else {
                for unit in String(scalar).utf16 {
                    shifted.append(UInt8(truncatingIfNeeded: unit >> 8))
                    shifted.append(UInt8(truncatingIfNeeded: unit))
                }
            }
        }
        unshift(&shifted, into: &bytes)
        return bytes
    }

    /// Decodes a mailbox name; nil when it is not the canonical form of any name.
    ///
    /// Two spellings of one name would be two mailboxes to one client and one to another, so
    /// needless shifts, stray bits and lone surrogates are refused.
    package static func decode(_ bytes: ArraySlice<UInt8>) -> String? {
        var units: [UInt16] = []
        var rest = bytes
        var afterShift = false
        while let byte = rest.popFirst() {
            guard (0x20...0x7E).contains(byte) else { return nil }
            guard byte == ampersand else {
                units.append(UInt16(byte))
                afterShift = false
                continue
            }
            guard let end = rest.firstIndex(of: minus) else { return nil }
            let digits = rest[rest.startIndex..<end]
            rest = rest[(end + 1)...]
            if digits.isEmpty {
                units.append(UInt16(ampersand))
                afterShift = false
            } else {
                guard !afterShift, let run = decodeShifted(digits) else { return nil }
                units.append(contentsOf: run)
                afterShift = true
            }
        }
        return String(validating: units, as: UTF16.self)
    }

    private static let ampersand: UInt8 = 0x26
    private static let minus: UInt8 = 0x2D
    private static let comma: UInt8 = 0x2C
    private static let slash: UInt8 = 0x2F

    private static func unshift(_ shifted: inout [UInt8], into bytes: inout [UInt8]) {
        guard !shifted.isEmpty else { return }
        bytes.append(ampersand)
        for digit in Base64.encode(shifted) where digit != 0x3D {
            bytes.append(digit == slash ? comma : digit)
        }
        bytes.append(minus)
        shifted.removeAll()
    }

    private static func decodeShifted(_ digits: ArraySlice<UInt8>) -> [UInt16]? {
        guard !digits.contains(slash), !digits.contains(0x3D) else { return nil }
        var text = digits.map { $0 == comma ? slash : $0 }
        while text.count % 4 != 0 { text.append(0x3D) }
        guard let bytes = Base64.decode(text), bytes.count % 2 == 0 else { return nil }
        var units: [UInt16] = []
        for i in stride(from: 0, to: bytes.count, by: 2) {
            let unit = UInt16(bytes[i]) << 8 | UInt16(bytes[i + 1])
            guard !(0x20...0x7E).contains(unit) else { return nil }
            units.append(unit)
        }
        return units
    }
}
