package import Mail

/// What came of one recipient, or of a whole session.
package struct ClientVerdict: Equatable, Sendable {
    package enum Kind: Sendable {
        case accepted, temporary, permanent
    }

    package let kind: Kind
    package let status: EnhancedStatus
    /// The server's reply with its code, or a sentence of ours.
    package let text: String
    /// True when `text` is the server's.
    package let isRemote: Bool
    /// The server wants fewer recipients in one transaction; the others may come at once.
    ///
    /// RFC 5321 §4.5.3.1.10
    package let isTooMany: Bool

    /// Anything but 2yz, 4yz and 5yz has no place where a verdict is due and counts as temporary.
    init(_ reply: PeerReply) {
        switch reply.classDigit {
        case 2: kind = .accepted
        case 5: kind = .permanent
        default: kind = .temporary
        }
        status = reply.status
        text = reply.text
        isRemote = true
        isTooMany =
            reply.code == 452 && (reply.status.subject == 0 || reply.status.subject == 5)
    }

    /// A verdict of ours.
    package init(_ kind: Kind, _ status: EnhancedStatus, _ text: String) {
        self.kind = kind
        self.status = status
        self.text = text
        isRemote = false
        isTooMany = false
    }
}

extension ClientVerdict {
    static func local(temporary subject: UInt16, _ detail: UInt16, _ text: String) -> Self {
        ClientVerdict(.temporary, EnhancedStatus(4, subject, detail), text)
    }

    static let connectionLost = local(temporary: 4, 2, "The connection was lost")
    static let timedOut = local(temporary: 4, 2, "No answer in time")
    static let malformedReply = local(temporary: 5, 0, "What came was not an SMTP reply")
    static let unexpectedReply = local(temporary: 5, 0, "The reply did not fit the command")

    static let tlsNotOffered = local(temporary: 7, 10, "TLS is required and not offered")
    static let authenticationNotOffered = local(temporary: 7, 0, "AUTH PLAIN is not offered")

    /// Told to the reverse-path: nothing here rewrites a message.
    ///
    /// RFC 6152 §3
    static let eightBitNotOffered = ClientVerdict(
        .permanent,
        EnhancedStatus(5, 6, 3),
        "The next hop does not take 8-bit messages"
    )

    /// Only BDAT carries what is not lines.
    ///
    /// RFC 3030 §3
    static let binaryNotOffered = ClientVerdict(
        .permanent,
        EnhancedStatus(5, 6, 3),
        "The next hop does not take binary messages"
    )

    /// An address has no other form to fall back to.
    ///
    /// RFC 6531 §3.2
    static let smtpUTF8NotOffered = ClientVerdict(
        .permanent,
        EnhancedStatus(5, 6, 7),
        "The next hop does not take internationalized mail"
    )

    /// Not sent at all: the limit was announced.
    ///
    /// RFC 1870 §6.2
    static let tooBig = ClientVerdict(
        .permanent,
        EnhancedStatus(5, 3, 4),
        "The message is bigger than the next hop takes"
    )
}
