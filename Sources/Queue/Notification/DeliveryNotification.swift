package import Mail

/// What a delivery status notification says, before it is put into words and MIME.
///
/// RFC 3461 §6, RFC 3464 §2
package struct DeliveryNotification: Sendable {
    /// One of the four things worth telling; all recipients of a notification share it.
    package enum Action: String, Sendable {
        case failed, delayed, delivered, relayed
    }

    /// What is told about one recipient.
    package struct Recipient: Sendable, Hashable {
        package let path: QueuedRecipient
        package let reply: NextHopReply
        /// Unix milliseconds.
        package let lastAttempt: Int64

        package init(path: QueuedRecipient, reply: NextHopReply, lastAttempt: Int64) {
            self.path = path
            self.reply = reply
            self.lastAttempt = lastAttempt
        }
    }

    package let action: Action
    package let message: QueuedMessage
    /// Never null: nobody is told about a message from `<>`.
    package let reversePath: EmailAddress
    package let recipients: [Recipient]
    /// Until when a delayed message is tried; Unix milliseconds.
    package let retryUntil: Int64?

    /// Nil for the null reverse-path, which is never told anything.
    ///
    /// RFC 5321 §4.5.5
    package init?(
        _ action: Action,
        about message: QueuedMessage,
        recipients: [Recipient],
        retryUntil: Int64? = nil
    ) {
        guard case .address(let reversePath) = message.reversePath, !recipients.isEmpty else {
            return nil
        }
        self.action = action
        self.message = message
        self.reversePath = reversePath
        self.recipients = recipients
        self.retryUntil = retryUntil
    }
}

/// Who reports, and what makes one notification differ from the next.
package struct NotificationStamp: Sendable {
    /// The name in Reporting-MTA, in the Message-ID and behind `MAILER-DAEMON@`.
    package let hostName: String
    /// Unix milliseconds.
    package let now: Int64
    /// Makes the Message-ID and the boundary; different for every notification.
    package let randomness: UInt64

    package init(hostName: String, now: Int64, randomness: UInt64) {
        self.hostName = hostName
        self.now = now
        self.randomness = randomness
    }
}
