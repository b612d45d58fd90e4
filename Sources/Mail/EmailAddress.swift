import Wire

/// An Internet mail address: the part before the `@` and the domain.
///
/// The local part is kept without quotes and in its original case; the domain in lower case. Two
/// addresses are equal when their `key`s are: we compare local parts without case, as every mailbox
/// owner expects and RFC 5321 §2.4 lets the final host decide.
package struct EmailAddress: Sendable {
    package let localPart: String
    package let domain: String

    /// Nil when the parts do not make an address that could be written in SMTP.
    ///
    /// `domain` may be a domain name or an address literal in brackets.
    package init?(localPart: String, domain: String) {
        guard MailboxGrammar.isQuotable(localPart),
            MailboxGrammar.isDomain([UInt8](domain.utf8)[...]),
            localPart.utf8.count <= Self.maximumLocalPart,
            localPart.utf8.count + domain.utf8.count < Self.maximumLength
        else { return nil }
        self.localPart = localPart
        self.domain = domain.lowercased()
    }

    /// Parses the `Mailbox` production, its octets in UTF-8; nil for anything else.
    ///
    /// Refused although the grammar has it: an empty quoted local part, which names nobody, and
    /// address literals other than IPv4 and IPv6, since no other tag is registered.
    ///
    ///     Mailbox = Local-part "@" ( Domain / address-literal )
    ///
    /// RFC 5321 §4.1.2, §4.1.3, §4.5.3.1, RFC 6531 §3.3
    package init?(parsing bytes: ArraySlice<UInt8>) {
        guard bytes.count <= Self.maximumLength else { return nil }
        var cursor = Cursor(bytes)
        guard let localPart = MailboxGrammar.localPart(&cursor),
            cursor.position - bytes.startIndex <= Self.maximumLocalPart,
            cursor.take(0x40), MailboxGrammar.isDomain(cursor.rest),
            let domain = String(utf8: cursor.rest)
        else { return nil }
        self.localPart = localPart
        self.domain = domain.lowercased()
    }

    /// Parses the `Mailbox` production; nil for anything else.
    package init?(parsing text: String) {
        self.init(parsing: [UInt8](text.utf8)[...])
    }

    /// What caches and tables are keyed by: local part and domain in lower case.
    package var key: String { "\(localPart.lowercased())@\(domain)" }

    /// True when the address can only be sent where SMTPUTF8 is spoken.
    ///
    /// RFC 6531 §3.2
    package var needsSMTPUTF8: Bool {
        !(localPart.utf8.allSatisfy { $0 < 0x80 } && domain.utf8.allSatisfy { $0 < 0x80 })
    }

    /// Octets of a local part as written.
    ///
    /// RFC 5321 §4.5.3.1.1
    package static let maximumLocalPart = 64

    /// Octets of an address: a path of 256 without its angle brackets.
    ///
    /// RFC 5321 §4.5.3.1.3
    package static let maximumLength = 254
}

extension EmailAddress: CustomStringConvertible {
    /// The wire form, the local part in quotes where it needs them.
    package var description: String {
        "\(MailboxGrammar.quoted(localPart))@\(domain)"
    }
}

extension EmailAddress: Hashable {
    package static func == (a: EmailAddress, b: EmailAddress) -> Bool { a.key == b.key }

    package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

/// Where a delivery status notification goes: an address, or nowhere (`<>`).
///
/// RFC 5321 §3.6.3, §4.5.5
package enum ReversePath: Hashable, Sendable {
    case null
    case address(EmailAddress)
}
