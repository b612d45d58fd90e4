import Wire

/// How mailbox names travel in this session.
package enum MailboxNameEncoding: Hashable, Sendable {
    /// IMAP4rev1 before ENABLE (RFC 3501 §5.1.3).
    case modifiedUTF7
    /// After ENABLE IMAP4rev2 (RFC 9051 §5.1).
    case utf8
}

/// The name of a mailbox as a client sees it, decoded; levels are separated by `/`.
///
/// INBOX is spelt in capitals, alone and as the first level of a longer name.
///
/// RFC 9051 §5.1
package struct MailboxName: Hashable, Sendable {
    package let text: String

    package static let separator = "/"
    package static let inbox = MailboxName("INBOX")
    /// Longest name in bytes of UTF-8.
    package static let maximumLength = 1_000

    /// A name already decoded.
    package init(_ text: String) {
        self.text = Self.withCapitalInbox(text)
    }

    /// Nil when the bytes are not a name in `encoding`.
    package init?(wire bytes: some Collection<UInt8>, encoding: MailboxNameEncoding) {
        guard let text = Self.decode(Array(bytes), encoding),
            text.utf8.count <= Self.maximumLength,
            !text.utf8.contains(where: \.isControl)
        else { return nil }
        self.init(text)
    }

    package var isInbox: Bool { text == "INBOX" }

    /// The wire form, not yet quoted.
    package func bytes(in encoding: MailboxNameEncoding) -> [UInt8] {
        switch encoding {
        case .utf8: Array(text.utf8)
        case .modifiedUTF7: ModifiedUTF7.encode(text)
        }
    }

    /// A pattern or name as text; raw 8-bit names of clients that ignore UTF-7 count as UTF-8.
    static func decode(_ bytes: [UInt8], _ encoding: MailboxNameEncoding) -> String? {
        if encoding == .modifiedUTF7, bytes.allSatisfy({ $0 < 0x80 }) {
            return ModifiedUTF7.decode(bytes[...])
        }
        return String(utf8: bytes)
    }

    private static func withCapitalInbox(_ text: String) -> String {
        let bytes = text.utf8
        guard bytes.prefix(5).equalsIgnoringCase("INBOX"),
            bytes.count == 5
                || bytes.dropFirst(5).first == 0x2F
        else { return text }
        return "INBOX" + text.dropFirst(5)
    }
}
