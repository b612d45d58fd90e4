import Wire

extension Message {
    /// The first words of the message: at most 200 characters of its first text, on one line.
    ///
    /// Quoted lines are left out; empty when there is no text.
    ///
    /// RFC 8970 §3.1
    package func preview() -> String {
        for isHTML in [false, true] {
            for part in parts.prefix(32) where isPreviewable(part, isHTML: isHTML) {
                let window = isHTML ? Self.htmlWindow : Self.plainWindow
                guard var text = decodedText(of: part, limit: window) else { continue }
                if isHTML { text = HTMLText.plain(text[...], limit: 4_096) }
                let line = Self.firstWords(of: text)
                if !line.isEmpty { return line }
            }
        }
        return ""
    }

    // How much of an encoded body may have to be read before 200 characters are found.
    private static let plainWindow = 4_096
    private static let htmlWindow = 65_536

    private func isPreviewable(_ part: Part, isHTML: Bool) -> Bool {
        guard case .leaf = part.content, part.mediaType.isText,
            (part.mediaType.subtype == "HTML") == isHTML, !part.body.isEmpty
        else { return false }
        return disposition(of: part)?.type != "ATTACHMENT"
    }

    private static func firstWords(of text: [UInt8]) -> String {
        var output: [UInt8] = []
        var characters = 0
        var rest = text[...]
        lines: while !rest.isEmpty {
            let end = rest.firstIndex(ofByte: .lf) ?? rest.endIndex
            let line = rest[..<end]
            rest = rest[min(end + 1, rest.endIndex)...]
            if line.first == 0x3E { continue }
            var wasBlank = true
            for byte in line {
                if byte <= 0x20 || byte == 0x7F {
                    wasBlank = true
                    continue
                }
                if wasBlank, !output.isEmpty {
                    output.append(.space)
                    characters += 1
                }
                wasBlank = false
                if byte & 0xC0 != 0x80 {
                    if characters >= 200 { break lines }
                    characters += 1
                }
                output.append(byte)
            }
        }
        while output.last == .space { output.removeLast() }
        return String(decoding: output, as: UTF8.self)
    }
}
