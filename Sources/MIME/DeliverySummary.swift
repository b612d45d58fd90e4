import Wire

/// All that the store keeps beside a message's bytes, from one pass over them.
package struct DeliverySummary: Sendable {
    /// As IMAP writes it.
    package let envelope: [UInt8]
    /// As IMAP writes it; `BodyStructure.withoutExtensions` makes BODY of it.
    package let bodyStructure: [UInt8]
    /// At most 200 characters on one line.
    package let preview: String
    /// Without angle brackets.
    package let messageID: String?
    /// What the message answers or follows, oldest first, without angle brackets: References, then
    /// In-Reply-To, each once.
    package let references: [String]
    package let baseSubject: BaseSubject
    /// The Date field, where it can be read.
    package let sentDate: MailDate?
    /// True when some part wants to be saved rather than shown.
    package let hasAttachment: Bool

    /// How many references are kept: the first and the last ones.
    package static let maximumReferences = 100

    package init(of bytes: [UInt8], limits: MIMELimits = MIMELimits()) {
        self.init(of: Message(bytes, limits: limits))
    }

    package init(of message: Message) {
        let root = message.root
        envelope = message.envelope()
        bodyStructure = message.bodyStructure()
        preview = message.preview()
        messageID = message.value(.messageID, of: root).flatMap {
            MessageIDs.single(message.bytes, message.clipped($0))
        }
        references = Self.references(of: message, root)
        let subject = message.value(.subject, of: root).map { message.bytes[$0] } ?? []
        baseSubject = BaseSubject(of: subject)
        sentDate = message.value(.date, of: root).flatMap {
            MailDate(parsing: message.bytes[$0])
        }
        hasAttachment = message.hasAttachment
    }

    private static func references(of message: Message, _ root: Part) -> [String] {
        var ids: [String] = []
        if let value = message.value(.references, of: root) {
            ids = MessageIDs.list(message.bytes, message.clipped(value), limit: 1_000)
        }
        if ids.count > maximumReferences - 1 {
            ids = ids.prefix(1) + ids.suffix(maximumReferences - 2)
        }
        if let value = message.value(.inReplyTo, of: root),
            let id = MessageIDs.list(message.bytes, message.clipped(value), limit: 1).first,
            !ids.contains(id)
        {
            ids.append(id)
        }
        return ids
    }
}

extension Message {
    /// True when some part wants to be saved rather than shown.
    ///
    /// RFC 2183 §2.2
    package var hasAttachment: Bool {
        parts.contains { part in
            guard case .leaf = part.content else { return false }
            if let disposition = disposition(of: part) { return disposition.type == "ATTACHMENT" }
            let parameters = part.mediaType.parameters
            return !part.mediaType.isText
                && (parameters.raw("NAME") ?? parameters.raw("NAME*")) != nil
                && value(.contentID, of: part) == nil
        }
    }
}
