import Wire

extension Message {
    /// The ENVELOPE of the message, as IMAP writes it.
    ///
    /// RFC 9051 §7.5.2
    package func envelope() -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(512)
        appendEnvelope(of: root, to: &output)
        return output
    }

    /// The addresses of all such fields in the part's header, in order.
    package func addresses(_ field: KnownField, of part: Part) -> [AddressListItem] {
        var items: [AddressListItem] = []
        for value in values(field, of: part) {
            items += AddressListParser.parse(bytes, clipped(value))
        }
        return items
    }

    func appendEnvelope(of part: Part, to output: inout [UInt8]) {
        output.append(0x28)
        appendText(.date, of: part, to: &output)
        output.append(.space)
        appendText(.subject, of: part, to: &output)
        output.append(.space)

        let start = output.count
        appendAddresses(.from, of: part, to: &output)
        let from = output[start...]
        let isAbsent = from.elementsEqual("NIL".utf8)
        for field in [KnownField.sender, .replyTo] {
            output.append(.space)
            let fieldStart = output.count
            appendAddresses(field, of: part, to: &output)
            if !isAbsent, output[fieldStart...].elementsEqual("NIL".utf8) {
                output.removeLast(3)
                output.append(contentsOf: from)
            }
        }
        for field in [KnownField.to, .cc, .bcc] {
            output.append(.space)
            appendAddresses(field, of: part, to: &output)
        }
        output.append(.space)
        appendText(.inReplyTo, of: part, to: &output)
        output.append(.space)
        appendText(.messageID, of: part, to: &output)
        output.append(0x29)
    }

    func appendText(_ field: KnownField, of part: Part, to output: inout [UInt8]) {
        guard let value = value(field, of: part) else { return output.append("NIL") }
        let trimmed = Lexer.trimmed(clipped(value), in: bytes)
        output.append(imapString: bytes[trimmed])
    }

    /// A field's value, cut off where ENVELOPE and BODYSTRUCTURE stop to repeat it.
    func clipped(_ value: Range<Int>) -> Range<Int> {
        value.lowerBound..<min(value.upperBound, value.lowerBound + limits.fieldBytes)
    }

    private func appendAddresses(_ field: KnownField, of part: Part, to output: inout [UInt8]) {
        let items = addresses(field, of: part)
        if items.isEmpty { return output.append("NIL") }
        output.append(0x28)
        for item in items where output.count < limits.structureBytes {
            switch item {
            case .groupStart(let name):
                output.append("(NIL NIL ")
                output.append(imapString: name[...])
                output.append(" NIL)")
            case .groupEnd:
                output.append("(NIL NIL NIL NIL)")
            case .mailbox(let mailbox):
                output.append(0x28)
                output.append(imapOptional: mailbox.name)
                output.append(.space)
                output.append(imapOptional: mailbox.route)
                output.append(.space)
                output.append(imapString: mailbox.localPart[...])
                output.append(.space)
                output.append(imapString: mailbox.domain[...])
                output.append(0x29)
            }
        }
        output.append(0x29)
    }
}
