package import Mail

/// A message as a door hands it to the queue: the envelope, and where the bytes are.
///
/// The bytes themselves stand once in the store's `body` table; the queue holds a reference.
package struct QueuedMessage: Sendable, Equatable {
    /// The name of this mail transaction in Received fields, replies and the journal.
    package var queueID: String
    package var body: QueuedBody
    package var reversePath: ReversePath
    /// ENVID of the MAIL command, decoded.
    ///
    /// RFC 3461 §4.4
    package var envelopeID: String?
    /// RET of the MAIL command; nil when the client left it to us.
    ///
    /// RFC 3461 §4.3
    package var returnContent: ReturnContent?
    package var requirements: TransportRequirements
    /// Unix milliseconds.
    package var arrival: Int64
    /// Who gave us the message, for operators: a login on submission, a client on the MX door.
    package var source: String
    /// The language of the reverse-path's owner, when known; it comes first in notifications.
    package var language: NotificationLanguage?

    package init(
        queueID: String,
        body: QueuedBody,
        reversePath: ReversePath,
        envelopeID: String? = nil,
        returnContent: ReturnContent? = nil,
        requirements: TransportRequirements = [],
        arrival: Int64,
        source: String,
        language: NotificationLanguage? = nil
    ) {
        self.queueID = queueID
        self.body = body
        self.reversePath = reversePath
        self.envelopeID = envelopeID
        self.returnContent = returnContent
        self.requirements = requirements
        self.arrival = arrival
        self.source = source
        self.language = language
    }
}

/// A row of the store's `body` table and the number of bytes it stands for.
package struct QueuedBody: Sendable, Hashable {
    package let id: Int64
    /// Bytes of the message as it is sent, before compression.
    package let size: Int

    package init(id: Int64, size: Int) {
        self.id = id
        self.size = size
    }
}

/// One recipient as a door hands it to the queue.
package struct QueuedRecipient: Sendable, Hashable {
    package var forwardPath: EmailAddress
    /// ORCPT of the RCPT command, decoded, with its address type: `rfc822;anne@example.org`.
    ///
    /// RFC 3461 §4.2
    package var originalRecipient: String?
    /// NOTIFY of the RCPT command; nil when the client left it to us.
    ///
    /// RFC 3461 §4.1
    package var notify: NotifyConditions?
    /// What attempts are grouped and limited by; the forward-path's domain unless a route says
    /// otherwise.
    package var destination: String

    package init(
        forwardPath: EmailAddress,
        originalRecipient: String? = nil,
        notify: NotifyConditions? = nil,
        destination: String? = nil
    ) {
        self.forwardPath = forwardPath
        self.originalRecipient = originalRecipient
        self.notify = notify
        self.destination = destination ?? forwardPath.domain
    }
}

/// When the reverse-path wants to hear about a recipient.
///
/// The empty set is `NEVER`.
///
/// RFC 3461 §4.1
package struct NotifyConditions: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let success = NotifyConditions(rawValue: 1)
    package static let failure = NotifyConditions(rawValue: 2)
    package static let delay = NotifyConditions(rawValue: 4)
    package static let never: NotifyConditions = []

    /// What applies when the client said nothing.
    ///
    /// RFC 3461 §5.2.1 (g)
    package static let unspecified: NotifyConditions = [.failure, .delay]
}

/// How much of the message a failure notification brings back.
///
/// RFC 3461 §4.3
package enum ReturnContent: Int64, Sendable {
    case headers = 1
    case full = 2
}

/// What the next hop must be able to carry.
package struct TransportRequirements: OptionSet, Hashable, Sendable {
    package let rawValue: Int64

    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// Octets above 127 in the body.
    ///
    /// RFC 6152 §2
    package static let eightBit = TransportRequirements(rawValue: 1)

    /// Lines of any length and bare CR or LF.
    ///
    /// RFC 3030 §3
    package static let binary = TransportRequirements(rawValue: 2)

    /// UTF-8 in addresses or header fields.
    ///
    /// RFC 6531 §3.1
    package static let smtpUTF8 = TransportRequirements(rawValue: 4)
}

/// A language that notifications are written in.
package enum NotificationLanguage: String, CaseIterable, Sendable {
    case french = "fr"
    case english = "en"
}
