package import Mail

/// One thing that happened to a message, a recipient or a session.
///
/// The log line, and later the trace row and the counter, are all derived from the same case, so
/// they cannot drift apart. Field names are a contract with the operators' searches: see
/// docs/operators/journal.md.
package enum MailEvent: Sendable {
    /// A mail transaction was accepted and is durable.
    case received(
        queueID: String,
        door: Door,
        reversePath: ReversePath,
        recipients: Int,
        size: Int,
        client: String,
        account: String?
    )

    /// A local mailbox holds the message.
    case delivered(queueID: String, forwardPath: EmailAddress, mailbox: String, uid: UID)

    /// A recipient waits in the queue for its next hop.
    case queued(queueID: String, forwardPath: EmailAddress)

    /// The next hop took responsibility for a recipient.
    case relayed(
        queueID: String,
        forwardPath: EmailAddress,
        nextHop: String,
        status: EnhancedStatus,
        delaySeconds: Double,
        reply: String
    )

    /// An attempt failed for now.
    case deferred(
        queueID: String,
        forwardPath: EmailAddress,
        nextHop: String,
        status: EnhancedStatus,
        delaySeconds: Double,
        reason: String
    )

    /// A recipient failed for good; the reverse-path is told unless it is null.
    case bounced(
        queueID: String,
        forwardPath: EmailAddress,
        nextHop: String,
        status: EnhancedStatus,
        reason: String
    )

    /// A command or a message was refused while the client waited.
    case refused(
        door: Door,
        client: String,
        reversePath: ReversePath?,
        forwardPath: EmailAddress?,
        status: EnhancedStatus?,
        reason: String
    )

    /// A content engine found something.
    case infected(queueID: String, engine: String, name: String, client: String)

    /// An engine did not give a verdict in time.
    case engineFailed(engine: String, reason: String)

    /// Somebody logged in.
    case login(door: Door, account: String, client: String, mechanism: String, secure: Bool)

    /// A login attempt failed; the name is what the client sent.
    case loginFailed(door: Door, name: String, client: String, mechanism: String)
}

/// Which listener of the platform an event came through.
package enum Door: String, Sendable {
    case mx, submission, lmtp, imap, relay
}
