import Mail

/// One message and the recipients at one destination that are leased to us.
struct ClaimedWork: Sendable {
    let stored: StoredMessage
    let lease: String
    let destination: String
    let recipients: [StoredRecipient]

    /// What the agent is asked to do; without the recipients that only owe a notification.
    var attempt: DeliveryAttempt {
        DeliveryAttempt(
            message: stored.message,
            destination: destination,
            recipients: recipients.filter(\.state.awaitsAttempt).map(\.attemptRecipient)
        )
    }
}

/// What is to be written about one recipient after an attempt.
struct Decision: Sendable {
    let recipient: StoredRecipient
    let reply: NextHopReply
    /// Unix milliseconds; when the attempt ended.
    let lastAttempt: Int64
    let fate: Fate

    enum Fate: Sendable, Hashable {
        /// The row goes; a notification with this action, if any, goes with it.
        case close(RecipientState, notify: DeliveryNotification.Action?)
        /// The row stays until the next attempt; `warn` sends the one warning about the delay.
        case wait(until: Int64, warn: Bool)
    }

    /// Decides by the attempt's result, or by the row alone when only a notification is owed.
    init(
        _ recipient: StoredRecipient,
        of stored: StoredMessage,
        result: AttemptResult?,
        at now: Int64,
        schedule: RetrySchedule,
        jitter: UInt64
    ) {
        self.recipient = recipient
        let notify = recipient.path.notify ?? .unspecified
        func close(_ state: RecipientState) -> Fate {
            let action: DeliveryNotification.Action? =
                switch state {
                case .failed: notify.contains(.failure) ? .failed : nil
                case .relayed: notify.contains(.success) ? .relayed : nil
                case .delivered: notify.contains(.success) ? .delivered : nil
                case .ready, .deferred, .held: nil
                }
            return .close(state, notify: stored.message.reversePath == .null ? nil : action)
        }

        if !recipient.state.awaitsAttempt, let reply = recipient.lastReply {
            self.reply = reply
            lastAttempt = recipient.lastAttempt ?? now
            fate = close(recipient.state)
            return
        }
        lastAttempt = now
        switch result ?? Self.silence(recipient) {
        case .relayed(let reply, let keepsDSN):
            self.reply = reply
            fate = keepsDSN ? .close(.relayed, notify: nil) : close(.relayed)
        case .delivered(let reply):
            self.reply = reply
            fate = close(.delivered)
        case .bounced(let reply):
            self.reply = reply
            fate = close(.failed)
        case .deferred(let reply, _):
            self.reply = reply
            if now >= stored.expiry {
                fate = close(.failed)
                return
            }
            let next = schedule.nextAttempt(
                afterAttempt: recipient.attempts + 1,
                at: now,
                expiry: stored.expiry,
                jitter: jitter
            )
            let isLate = now - stored.message.arrival >= schedule.warning
            let wantsWarning =
                isLate && !recipient.isWarned && notify.contains(.delay)
                && stored.message.reversePath != .null
            fate = .wait(until: next, warn: wantsWarning)
        }
    }

    /// An agent that says nothing about a recipient has not delivered to it.
    private static func silence(_ recipient: StoredRecipient) -> AttemptResult {
        .deferred(
            NextHopReply(
                nextHop: recipient.path.destination,
                status: EnhancedStatus(4, 3, 0),
                text: "The attempt was not finished",
                origin: .local
            ),
            scope: .recipient
        )
    }

    /// What the reverse-path is told because of this, if anything.
    var action: DeliveryNotification.Action? {
        switch fate {
        case .close(_, let action): action
        case .wait(_, let warn): warn ? .delayed : nil
        }
    }
}
