import Wire

/// The words of an HTML part, for previews and search; no attempt at layout.
enum HTMLText {
    /// The text of UTF-8 HTML without tags, scripts and styles, entities decoded.
    ///
    /// Tags become a space. At most about `limit` bytes of result.
    static func plain(_ html: ArraySlice<UInt8>, limit: Int = .max) -> [UInt8] {
        var output: [UInt8] = []
        var rest = html
        while let byte = rest.first, output.count < limit {
            switch byte {
            case 0x3C:
                skipMarkup(&rest)
                if output.last != .space { output.append(.space) }
            case 0x26:
                rest = rest.dropFirst()
                appendEntity(&rest, to: &output)
            default:
                let next = rest.firstIndex { $0 == 0x3C || $0 == 0x26 } ?? rest.endIndex
                output.append(contentsOf: rest[..<next])
                rest = rest[next...]
            }
        }
        return output
    }

    // Passes over a tag, a comment, or an element whose content is not text.
    private static func skipMarkup(_ rest: inout ArraySlice<UInt8>) {
        if rest.startsIgnoringCase(with: "<!--") {
            return skip(&rest, past: "-->")
        }
        let hidden: [(StaticString, StaticString)] = [
            ("<script", "</script"), ("<style", "</style"), ("<title", "</title"),
        ]
        let element = hidden.first { rest.startsIgnoringCase(with: $0.0) }
        skipTag(&rest)
        if let element {
            skip(&rest, past: element.1)
            skipTag(&rest)
        }
    }

    private static func skipTag(_ rest: inout ArraySlice<UInt8>) {
        let end = rest.firstIndex(ofByte: 0x3E).map { $0 + 1 } ?? rest.endIndex
        rest = rest[end...]
    }

    // To the end when the mark is missing, so nothing is searched twice.
    private static func skip(_ rest: inout ArraySlice<UInt8>, past mark: StaticString) {
        let first = mark.utf8Start.pointee
        while let start = rest.firstIndex(ofByte: first) {
            rest = rest[start...]
            if rest.startsIgnoringCase(with: mark) {
                rest = rest.dropFirst(mark.utf8CodeUnitCount)
                return
            }
            rest = rest.dropFirst()
        }
        rest = rest[rest.endIndex...]
    }

    private static func appendEntity(_ rest: inout ArraySlice<UInt8>, to output: inout [UInt8]) {
        var cursor = Cursor(rest)
        if cursor.take(0x23) {
            let digits: UInt32?
            if cursor.take(0x78) || cursor.take(0x58) {
                let run = cursor.take(upTo: 6) { $0.isHexDigit }
                digits = run.isEmpty ? nil : run.reduce(0) { $0 << 4 | UInt32($1.hexValue ?? 0) }
            } else {
                digits = cursor.takeNumber(UInt32.self)
            }
            if let digits {
                _ = cursor.take(0x3B)
                rest = cursor.rest
                // A no-break space breaks as well as any here.
                return output.append(scalar: digits == 0xA0 ? 0x20 : digits)
            }
        } else {
            let name = cursor.take(upTo: 8) { $0.isAlpha || $0.isDigit }
            if cursor.take(0x3B), let scalar = entities[String(decoding: name, as: UTF8.self)] {
                rest = cursor.rest
                return output.append(scalar: scalar)
            }
        }
        output.append(0x26)
    }

    private static let entities: [String: UInt32] = [
        "amp": 0x26, "lt": 0x3C, "gt": 0x3E, "quot": 0x22, "apos": 0x27, "nbsp": 0x20,
        "agrave": 0xE0, "acirc": 0xE2, "auml": 0xE4, "aelig": 0xE6, "ccedil": 0xE7,
        "egrave": 0xE8, "eacute": 0xE9, "ecirc": 0xEA, "euml": 0xEB, "icirc": 0xEE,
        "iuml": 0xEF, "ocirc": 0xF4, "ouml": 0xF6, "oelig": 0x153, "ugrave": 0xF9,
        "ucirc": 0xFB, "uuml": 0xFC, "szlig": 0xDF, "ntilde": 0xF1, "Agrave": 0xC0,
        "Acirc": 0xC2, "Auml": 0xC4, "Ccedil": 0xC7, "Egrave": 0xC8, "Eacute": 0xC9,
        "Ecirc": 0xCA, "Ocirc": 0xD4, "Ouml": 0xD6, "Uuml": 0xDC, "OElig": 0x152,
        "euro": 0x20AC, "pound": 0xA3, "copy": 0xA9, "reg": 0xAE, "trade": 0x2122,
        "deg": 0xB0, "laquo": 0xAB, "raquo": 0xBB, "lsquo": 0x2018, "rsquo": 0x2019,
        "ldquo": 0x201C, "rdquo": 0x201D, "ndash": 0x2013, "mdash": 0x2014,
        "hellip": 0x2026, "bull": 0x2022, "middot": 0xB7, "sect": 0xA7,
    ]
}
