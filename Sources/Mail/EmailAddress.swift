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
    package init?(localPart: String, domain: String) {
        guard !localPart.isEmpty, localPart.utf8.count <= 64, !domain.isEmpty,
            domain.utf8.count <= 255
        else { return nil }
        self.localPart = localPart
        self.domain = domain.lowercased()
    }

    /// What caches and tables are keyed by: local part and domain in lower case.
    package var key: String { "\(localPart.lowercased())@\(domain)" }
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
