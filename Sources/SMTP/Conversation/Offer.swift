/// Which protocol a conversation speaks.
package enum Dialect: Sendable {
    case smtp
    /// RFC 2033 §4.
    case lmtp
}

/// What a door announces after EHLO or LHLO besides what every conversation can do.
///
/// RFC 5321 §4.1.1.1
package struct Offer: Sendable {
    /// STARTTLS, until TLS is active.
    ///
    /// RFC 3207 §4
    package var startTLS: Bool

    /// AUTH mechanisms, in the order of preference; empty for none.
    ///
    /// RFC 4954 §3
    package var mechanisms: [String]

    /// Whether AUTH is offered, and accepted, without TLS.
    ///
    /// RFC 4954 §4
    package var allowsCleartextAuthentication: Bool

    package init(
        startTLS: Bool = false,
        mechanisms: [String] = [],
        allowsCleartextAuthentication: Bool = false
    ) {
        self.startTLS = startTLS
        self.mechanisms = mechanisms
        self.allowsCleartextAuthentication = allowsCleartextAuthentication
    }
}
