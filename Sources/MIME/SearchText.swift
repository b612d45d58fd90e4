import Wire

/// Text made comparable without regard to case: simple case folding, scalar by scalar.
///
/// Accents stay; a letter and its combining accent are not the letter with the accent.
///
/// RFC 5051 §2, Unicode §3.13
package enum SearchText {
    /// Folds UTF-8; whatever is not well-formed becomes U+FFFD.
    package static func fold(_ text: ArraySlice<UInt8>) -> [UInt8] {
        if Charset.isASCII(text) { return text.map(\.lowercased) }
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var i = text.startIndex
        while i < text.endIndex {
            let byte = text[i]
            if byte < 0x80 {
                output.append(byte.lowercased)
                i += 1
                continue
            }
            var end = i + 1
            while end < text.endIndex, text[end] >= 0x80 { end += 1 }
            for scalar in String(decoding: text[i..<end], as: UTF8.self).unicodeScalars {
                output.append(scalar: fold(scalar.value))
            }
            i = end
        }
        return output
    }

    /// Folds text.
    package static func fold(_ text: String) -> String {
        String(decoding: fold(Array(text.utf8)[...]), as: UTF8.self)
    }

    // The scripts of Europe by rule, the rest by the library's tables.
    static func fold(_ scalar: UInt32) -> UInt32 {
        switch scalar {
        case 0x41...0x5A: scalar + 32
        case 0..<0xB5: scalar
        case 0xB5: 0x3BC
        case 0xC0...0xDE: scalar == 0xD7 ? scalar : scalar + 32
        case 0x100...0x12F, 0x132...0x137, 0x14A...0x177: scalar | 1
        case 0x139...0x148, 0x179...0x17E: scalar & 1 == 1 ? scalar + 1 : scalar
        case 0x130: 0x69
        case 0x178: 0xFF
        case 0x17F: 0x73
        case 0x391...0x3AB: scalar == 0x3A2 ? scalar : scalar + 32
        case 0x386: 0x3AC
        case 0x388...0x38A: scalar + 37
        case 0x38C: 0x3CC
        case 0x38E, 0x38F: scalar + 63
        case 0x3C2: 0x3C3
        case 0x400...0x40F: scalar + 80
        case 0x410...0x42F: scalar + 32
        case 0x460...0x481, 0x48A...0x4BF, 0x4D0...0x52F: scalar | 1
        case 0x4C0: 0x4CF
        case 0x4C1...0x4CE: scalar & 1 == 1 ? scalar + 1 : scalar
        case 0x180...0x24F, 0x370...0x3FF, 0x531...0x556, 0x10A0...0x10FF, 0x13A0...0x13FF,
            0x1C80...0x1CBF, 0x1E00...0x1FFF, 0x2100...0x218F, 0x24B6...0x24E9,
            0x2C00...0x2D2F, 0xA640...0xA7FF, 0xAB70...0xABBF, 0xFF21...0xFF3A,
            0x10400...0x1E943:
            mapped(scalar)
        default: scalar
        }
    }

    private static func mapped(_ value: UInt32) -> UInt32 {
        guard let scalar = Unicode.Scalar(value) else { return value }
        let lower = scalar.properties.lowercaseMapping.unicodeScalars
        guard let only = lower.first, lower.count == 1 else { return value }
        return only.value
    }
}

/// A text to look for, prepared once for many messages.
///
/// A search looks at every mth byte while nothing resembles a pattern of m bytes (Horspool).
package struct SearchPattern: Hashable, Sendable {
    private let needle: [UInt8]
    /// How far the pattern may move when its last byte stands on a given byte.
    private let shifts: [Int]

    package init(_ text: String) {
        let needle = SearchText.fold(Array(text.utf8)[...])
        var shifts = [Int](repeating: max(needle.count, 1), count: 256)
        for (index, byte) in needle.dropLast().enumerated() {
            shifts[Int(byte)] = needle.count - 1 - index
        }
        self.needle = needle
        self.shifts = shifts
    }

    /// True for the pattern that every text matches.
    package var isEmpty: Bool { needle.isEmpty }

    /// True when the UTF-8 `text` holds the pattern, letters compared without case.
    package func matches(_ text: ArraySlice<UInt8>) -> Bool {
        if needle.isEmpty { return true }
        let folded = SearchText.fold(text)
        var last = needle.count - 1
        while last < folded.count {
            let byte = folded[last]
            if byte == needle[needle.count - 1] {
                var back = 1
                while back < needle.count, folded[last - back] == needle[needle.count - 1 - back] {
                    back += 1
                }
                if back >= needle.count { return true }
            }
            last += shifts[Int(byte)]
        }
        return false
    }
}
