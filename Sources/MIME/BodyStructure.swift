import Wire

extension Message {
    /// The BODYSTRUCTURE of the message, as IMAP writes it.
    ///
    /// RFC 9051 §7.5.2
    package func bodyStructure() -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(512)
        append(structureOf: 0, extended: true, to: &output)
        return output
    }

    /// The BODY without section, which is BODYSTRUCTURE without its extension data.
    ///
    /// RFC 9051 §7.5.2
    package func body() -> [UInt8] {
        var output: [UInt8] = []
        append(structureOf: 0, extended: false, to: &output)
        return output
    }

    // Recursion is as deep as the parts are, which MIMELimits.depth bounds.
    private func append(structureOf index: Int, extended: Bool, to output: inout [UInt8]) {
        guard parts.indices.contains(index) else { return }
        let part = parts[index]
        output.append(0x28)
        if case .multipart(let children) = part.content {
            for child in children { append(structureOf: child, extended: extended, to: &output) }
            output.append(.space)
            output.append(imapQuoted: part.mediaType.subtype)
            if extended {
                output.append(.space)
                append(part.mediaType.parameters, to: &output)
            }
        } else {
            appendLeaf(part, extended: extended, to: &output)
            if extended {
                output.append(.space)
                appendText(.contentMD5, of: part, to: &output)
            }
        }
        if extended { appendExtension(part, to: &output) }
        output.append(0x29)
    }

    private func appendLeaf(_ part: Part, extended: Bool, to output: inout [UInt8]) {
        output.append(imapQuoted: part.mediaType.type)
        output.append(.space)
        output.append(imapQuoted: part.mediaType.subtype)
        output.append(.space)
        append(part.mediaType.parameters, to: &output)
        output.append(.space)
        appendText(.contentID, of: part, to: &output)
        output.append(.space)
        appendText(.contentDescription, of: part, to: &output)
        output.append(.space)
        output.append(imapQuoted: part.encoding.name)
        output.append(.space)
        output.append(decimal: part.body.count)
        if case .message(let inner) = part.content, parts.indices.contains(inner) {
            output.append(.space)
            if output.count < limits.structureBytes {
                appendEnvelope(of: parts[inner], to: &output)
            } else {
                output.append("(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)")
            }
            output.append(.space)
            append(structureOf: inner, extended: extended, to: &output)
            output.append(.space)
            output.append(decimal: part.lines)
        } else if part.mediaType.isText {
            output.append(.space)
            output.append(decimal: part.lines)
        }
    }

    private func append(_ parameters: Parameters, to output: inout [UInt8]) {
        if parameters.isEmpty || output.count > limits.structureBytes {
            return output.append("NIL")
        }
        var separator: UInt8 = 0x28
        for parameter in parameters.list {
            output.append(separator)
            separator = .space
            output.append(imapQuoted: parameter.name)
            output.append(.space)
            output.append(imapString: parameter.value.prefix(limits.fieldBytes))
        }
        output.append(0x29)
    }

    private func appendExtension(_ part: Part, to output: inout [UInt8]) {
        output.append(.space)
        if let disposition = disposition(of: part) {
            output.append(0x28)
            output.append(imapQuoted: disposition.type)
            output.append(.space)
            append(disposition.parameters, to: &output)
            output.append(0x29)
        } else {
            output.append("NIL")
        }
        output.append(.space)
        appendLanguages(of: part, to: &output)
        output.append(.space)
        appendText(.contentLocation, of: part, to: &output)
    }

    private func appendLanguages(of part: Part, to output: inout [UInt8]) {
        var separator: UInt8 = 0x28
        if let value = value(.contentLanguage, of: part) {
            var lexer = Lexer(bytes, clipped(value))
            while !lexer.isAtEnd {
                lexer.skipBlanksAndComments()
                let tag = lexer.take { $0 != 0x2C && $0 != 0x28 && !Lexer.isBlank($0) }
                if !tag.isEmpty {
                    output.append(separator)
                    separator = .space
                    output.append(imapString: bytes[tag])
                }
                _ = lexer.take(0x2C)
            }
        }
        output.append(separator == .space ? ")" : "NIL")
    }
}
