package import Net
package import Store

/// What the operator decides about the IMAP door.
package struct IMAPSettings: Sendable {
    /// The certificate for STARTTLS; nil offers none.
    package var tls: TLSIdentity?
    /// Bytes of the largest message that APPEND takes.
    package var messageBytes = 52_428_800
    /// Sessions that one account may hold at the same time.
    package var sessionsPerAccount = 100
    /// How long a stranger may take to log in, from the first byte.
    package var loginTimeout: Duration = .seconds(120)
    /// How long a session may be silent; RFC 9051 §5.4 asks for 30 minutes at least.
    package var idleTimeout: Duration = .seconds(1_830)
    /// How long a client may pause in the middle of a command.
    package var commandTimeout: Duration = .seconds(300)
    /// What each failed login makes the client wait.
    package var failedLoginDelay: Duration = .seconds(2)
    /// Failed logins after which the session ends.
    package var failedLogins = 5
    /// Malformed commands after which the session ends.
    package var badCommands = 50
    /// Bytes of messages being appended, over all sessions.
    package var heldBytes = 536_870_912
    /// How mailboxes are called that come to life with an account.
    package var language = MailboxLanguage.english
    /// What an account may keep that has no limit of its own.
    package var quota = QuotaLimit.unlimited

    package init() {}
}

/// Whether a listener lets secrets pass in clear.
package enum CleartextLogin: Sendable {
    case refused
    /// Loopback and test installations only.
    case allowed
}
