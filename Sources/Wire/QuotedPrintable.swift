/// The quoted-printable transfer encoding.
///
/// RFC 2045 §6.7
package enum QuotedPrintable {
    /// Decodes a body, at most `limit` bytes of result.
    ///
    /// What is not a valid escape is kept as it stands; blanks at the end of a line are dropped, as
    /// they were added on the way.
    package static func decode(_ text: ArraySlice<UInt8>, limit: Int = .max) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(text.count, max(limit, 0)))
        var rest = text
        while !rest.isEmpty, bytes.count < limit {
            let newline = rest.firstIndex(ofByte: .lf)
            let ending = newline ?? rest.endIndex
            decodeLine(rest[rest.startIndex..<ending], ended: newline != nil, into: &bytes)
            rest = newline.map { rest[($0 + 1)...] } ?? rest[rest.endIndex...]
        }
        if bytes.count > limit { bytes.removeLast(bytes.count - max(limit, 0)) }
        return bytes
    }

    /// Encodes text whose lines end in CR LF; lines of the result have at most 76 characters.
    ///
    /// A line break is kept only as CR LF: a bare CR or LF is escaped.
    package static func encode(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var lines: [UInt8] = []
        lines.reserveCapacity(text.count + text.count / 8)
        var column = 0
        var i = text.startIndex
        while i < text.endIndex {
            let byte = text[i]
            let next = i + 1 < text.endIndex ? text[i + 1] : nil
            if byte == .cr, next == .lf {
                lines.appendCRLF()
                column = 0
                i += 2
                continue
            }
            let endsLine =
                next == nil || (next == .cr && i + 2 < text.endIndex && text[i + 2] == .lf)
            let plain = byte.isBlank ? !endsLine : byte > 0x20 && byte < 0x7F && byte != equals
            let width = plain ? 1 : 3
            if column + width > (endsLine ? 76 : 75) {
                lines.append("=\r\n")
                column = 0
            }
            if plain { lines.append(byte) } else { appendEscape(byte, to: &lines) }
            column += width
            i += 1
        }
        return lines
    }

    private static let equals: UInt8 = 0x3D

    private static func appendEscape(_ byte: UInt8, to lines: inout [UInt8]) {
        lines.append(equals)
        lines.append(Hex.digit(byte >> 4).uppercased)
        lines.append(Hex.digit(byte & 0xF).uppercased)
    }

    private static func decodeLine(
        _ line: ArraySlice<UInt8>,
        ended: Bool,
        into bytes: inout [UInt8]
    ) {
        var rest = line
        let crlf = ended && rest.last == .cr
        if crlf { rest = rest.dropLast() }
        while let last = rest.last, last.isBlank { rest = rest.dropLast() }
        while let escape = rest.firstIndex(ofByte: equals) {
            bytes.append(contentsOf: rest[rest.startIndex..<escape])
            rest = rest[(escape + 1)...]
            if rest.isEmpty { return }
            if let high = rest.first?.hexValue, let low = rest.dropFirst().first?.hexValue {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(equals)
            }
        }
        bytes.append(contentsOf: rest)
        if crlf { bytes.append(.cr) }
        if ended { bytes.append(.lf) }
    }
}
