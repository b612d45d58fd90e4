package import Mail

/// Carries messages to their next hop; the queue decides when, the agent how.
///
/// `Transfer`'s relay is one. An agent ends every attempt within a bounded time, and answers for
/// every recipient it was given.
package protocol DeliveryAgent: Sendable {
    /// Tries once to pass the message on for all recipients of `attempt`.
    ///
    /// A recipient missing from the answer counts as deferred.
    func attempt(_ attempt: DeliveryAttempt) async -> [RecipientOutcome]
}

/// One message and those of its recipients that share a destination.
package struct DeliveryAttempt: Sendable {
    package let message: QueuedMessage
    /// What the recipients have in common; usually their domain.
    package let destination: String
    package let recipients: [Recipient]

    /// A recipient with its number within the message.
    package struct Recipient: Sendable, Hashable {
        package let number: Int
        package let path: QueuedRecipient
        /// Attempts made before this one.
        package let attempts: Int

        package init(number: Int, path: QueuedRecipient, attempts: Int) {
            self.number = number
            self.path = path
            self.attempts = attempts
        }
    }

    package init(message: QueuedMessage, destination: String, recipients: [Recipient]) {
        self.message = message
        self.destination = destination
        self.recipients = recipients
    }
}

/// What came of an attempt for one recipient.
package struct RecipientOutcome: Sendable, Hashable {
    /// `DeliveryAttempt.Recipient.number`.
    package let number: Int
    package let result: AttemptResult

    package init(number: Int, result: AttemptResult) {
        self.number = number
        self.result = result
    }
}

/// Delivered, to be tried again, or failed for good.
package enum AttemptResult: Sendable, Hashable {
    /// The next hop took responsibility.
    ///
    /// `keepsDSN` is true when it announced DSN and so was given the recipient's NOTIFY.
    case relayed(NextHopReply, keepsDSN: Bool)

    /// A final delivery: the next hop is the recipient's mailbox server (LMTP).
    case delivered(NextHopReply)

    /// Not now. `scope` says whether other messages would meet the same trouble.
    case deferred(NextHopReply, scope: DeferralScope)

    /// Never: the reverse-path is told.
    case bounced(NextHopReply)
}

/// How far a temporary failure reaches.
package enum DeferralScope: Sendable, Hashable {
    /// This recipient or this message only, as with a 4yz reply to RCPT or DATA.
    case recipient
    /// The destination as a whole: no address, no connection, 421.
    case destination
}

/// What the next hop said, or what was understood when it said nothing.
package struct NextHopReply: Sendable, Hashable {
    /// The host that answered or should have, as a name; for `Remote-MTA` and the journal.
    package let nextHop: String
    package let status: EnhancedStatus
    /// The reply as sent, with its code; or a sentence of ours.
    package let text: String
    package let origin: Origin

    package enum Origin: Int64, Sendable {
        /// `text` is an SMTP reply of the next hop.
        case remote = 1
        /// `text` is ours: no connection, no such domain, too old.
        case local = 2
    }

    package init(nextHop: String, status: EnhancedStatus, text: String, origin: Origin) {
        self.nextHop = nextHop
        self.status = status
        self.text = text
        self.origin = origin
    }
}
