import Glibc
import Wire

/// A character encoding by one of the names that mail uses for it.
///
/// Only encodings on our list reach the C library; any other name is read as Windows-1252, which
/// every sequence of bytes can be.
///
/// RFC 2978 §1.1
package struct Charset: Hashable, Sendable {
    private enum Kind: Hashable {
        case unicode
        case windows1252
        case other(String)
    }

    private let kind: Kind

    package init(_ name: ArraySlice<UInt8>) {
        let key = String(decoding: name.prefix(40).lazy.map(\.lowercased), as: UTF8.self)
        switch key {
        case "utf-8", "utf8", "us-ascii", "ascii", "ansi_x3.4-1968", "", "unknown-8bit",
            "x-unknown":
            kind = .unicode
        default:
            kind = Self.names[key].map { .other($0) } ?? .windows1252
        }
    }

    package static let utf8 = Charset([])

    /// The text of `bytes`; whatever is not well-formed becomes U+FFFD.
    package func decode(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: utf8(bytes), as: UTF8.self)
    }

    /// The text of `bytes` in UTF-8; whatever is not well-formed becomes U+FFFD.
    ///
    /// Text said to be ASCII or UTF-8 that is not UTF-8 at all is read as Windows-1252.
    package func utf8(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        switch kind {
        case .unicode:
            if Self.isASCII(bytes) { return Array(bytes) }
            if String(validating: bytes, as: UTF8.self) != nil { return Array(bytes) }
            return Self.repaired(bytes)
        case .windows1252:
            return Self.isASCII(bytes) ? Array(bytes) : Self.windows1252(bytes)
        case .other(let name):
            return Self.convert(bytes, from: name) ?? Self.windows1252(bytes)
        }
    }

    /// True when no byte is above 127.
    static func isASCII(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBufferPointer { buffer in
            var all: UInt8 = 0
            for byte in buffer { all |= byte }
            return all < 0x80
        }
    }

    // Some damage in text that is UTF-8 otherwise is shown as damage; text that has more of it
    // than of well-formed characters never was UTF-8.
    private static func repaired(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        var damaged = 0
        var sound = 0
        for scalar in text.unicodeScalars where scalar.value >= 0x80 {
            if scalar.value == 0xFFFD { damaged += 1 } else { sound += 1 }
        }
        return sound >= damaged ? Array(text.utf8) : windows1252(bytes)
    }

    private static func windows1252(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + bytes.count / 8)
        for byte in bytes {
            if byte < 0x80 {
                output.append(byte)
            } else {
                output.append(scalar: byte < 0xA0 ? controls[Int(byte - 0x80)] : UInt32(byte))
            }
        }
        return output
    }

    // What Windows-1252 has at 0x80 to 0x9F.
    private static let controls: [UInt32] = [
        0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178,
    ]
}

extension Array<UInt8> {
    /// Appends a Unicode scalar value in UTF-8; U+FFFD for what is none.
    mutating func append(scalar value: UInt32) {
        if value < 0x80 { return append(UInt8(truncatingIfNeeded: value)) }
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
}

/// One conversion to UTF-8 in the C library; closed with its owner.
private struct Converter: ~Copyable {
    private let handle: iconv_t

    init?(from name: String) {
        guard let handle = iconv_open("UTF-8", name), Int(bitPattern: handle) != -1 else {
            return nil
        }
        self.handle = handle
    }

    deinit { iconv_close(handle) }

    func convert(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count * 2)
        bytes.withUnsafeBytes { input in
            var source = UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: CChar.self)
            )
            var left = input.count
            while left > 0 {
                let error = step(&source, &left, into: &output)
                if error == 0 || error == E2BIG { continue }
                output.append(contentsOf: [0xEF, 0xBF, 0xBD])
                if error != EILSEQ || source == nil { break }
                source = source.map { $0 + 1 }
                left -= 1
            }
            var none: UnsafeMutablePointer<CChar>?
            var nothing = 0
            _ = step(&none, &nothing, into: &output)
        }
        return output
    }

    // Converts until the input ends, the chunk is full or something is wrong; gives errno or 0.
    private func step(
        _ source: inout UnsafeMutablePointer<CChar>?,
        _ left: inout Int,
        into output: inout [UInt8]
    ) -> CInt {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4_096) { chunk in
            var target = chunk.baseAddress
            var room = chunk.count
            let result = iconv(handle, &source, &left, &target, &room)
            let error = result == -1 ? errno : 0
            for byte in chunk.prefix(chunk.count - room) { output.append(UInt8(bitPattern: byte)) }
            return error
        }
    }
}

extension Charset {
    private static func convert(_ bytes: ArraySlice<UInt8>, from name: String) -> [UInt8]? {
        guard let converter = Converter(from: name) else { return nil }
        return converter.convert(bytes)
    }

    /// Names that mail uses, in lower case, and what the C library calls them.
    private static let names: [String: String] = {
        var names = [
            "cp437": "CP437", "ibm437": "CP437", "cp850": "CP850", "ibm850": "CP850",
            "cp852": "CP852", "ibm852": "CP852", "cp855": "CP855", "cp858": "CP858",
            "cp866": "CP866", "ibm866": "CP866", "cp874": "CP874", "windows-874": "CP874",
            "koi8-r": "KOI8-R", "koi8-u": "KOI8-U", "koi8-t": "KOI8-T", "koi8r": "KOI8-R",
            "macintosh": "MACINTOSH", "x-mac-roman": "MACINTOSH", "mac": "MACINTOSH",
            "x-mac-cyrillic": "MAC-CYRILLIC", "gb2312": "GB18030", "gbk": "GB18030",
            "gb18030": "GB18030", "gb_2312-80": "GB18030", "x-gbk": "GB18030",
            "cp936": "GB18030", "euc-cn": "GB18030", "big5": "BIG5-HKSCS",
            "big5-hkscs": "BIG5-HKSCS", "cp950": "CP950", "x-x-big5": "BIG5-HKSCS",
            "euc-tw": "EUC-TW", "euc-jp": "EUC-JP", "x-euc-jp": "EUC-JP",
            "shift_jis": "CP932", "shift-jis": "CP932", "sjis": "CP932", "x-sjis": "CP932",
            "cp932": "CP932", "windows-31j": "CP932", "iso-2022-jp": "ISO-2022-JP-2",
            "iso-2022-jp-1": "ISO-2022-JP-2", "iso-2022-jp-2": "ISO-2022-JP-2",
            "iso-2022-jp-3": "ISO-2022-JP-3", "csiso2022jp": "ISO-2022-JP-2",
            "euc-kr": "CP949", "ks_c_5601-1987": "CP949", "ksc5601": "CP949",
            "cp949": "CP949", "uhc": "CP949", "iso-2022-kr": "ISO-2022-KR", "johab": "JOHAB",
            "tis-620": "CP874", "viscii": "VISCII", "tcvn": "TCVN", "utf-7": "UTF-7",
            "unicode-1-1-utf-7": "UTF-7", "utf-16": "UTF-16", "utf-16be": "UTF-16BE",
            "utf-16le": "UTF-16LE", "utf-32": "UTF-32", "utf-32be": "UTF-32BE",
            "utf-32le": "UTF-32LE", "armscii-8": "ARMSCII-8", "iso-8859-8-i": "ISO-8859-8",
            "iso-8859-8-e": "ISO-8859-8", "iso-8859-6-i": "ISO-8859-6", "latin2": "ISO-8859-2",
            "latin-2": "ISO-8859-2", "latin9": "ISO-8859-15", "latin-9": "ISO-8859-15",
        ]
        for part in [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16] {
            names["iso-8859-\(part)"] = part == 9 ? "CP1254" : "ISO-8859-\(part)"
            names["iso8859-\(part)"] = "ISO-8859-\(part)"
            names["iso_8859-\(part)"] = "ISO-8859-\(part)"
        }
        for page in [1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258] {
            names["windows-\(page)"] = "CP\(page)"
            names["cp\(page)"] = "CP\(page)"
            names["x-cp\(page)"] = "CP\(page)"
        }
        return names
    }()
}
