/// What one client may cost a conversation.
package struct ConversationLimits: Sendable {
    /// Octets of a message.
    ///
    /// RFC 1870 §3
    package var messageSize: Int
    /// Octets of a message over the limit that are read and thrown away before the connection is
    /// closed; a client that declares its size never gets there.
    package var discardedOctets: Int
    /// Octets of a command line with its CR LF: 512, and room for every parameter.
    ///
    /// RFC 5321 §4.5.3.1.4, RFC 3461 §4, RFC 6531 §3.4
    package var commandLine: Int
    /// Octets of a line inside AUTH.
    ///
    /// RFC 4954 §4
    package var authenticationLine: Int
    /// Octets of a line of the message.
    ///
    /// The standard's 1,000 is what every host must take; real mail has longer lines, and refusing
    /// it would lose it.
    ///
    /// RFC 5321 §4.5.3.1.6
    package var textLine: Int
    /// RFC 5321 §4.5.3.1.8.
    package var recipients: Int
    /// Commands refused for syntax or order before 421.
    package var errors: Int
    /// Refused recipients before 421.
    package var refusedRecipients: Int
    /// Commands without a mail transaction to show for it (NOOP, RSET, VRFY, EHLO…) before 421;
    /// counted afresh after each message.
    package var idleCommands: Int

    package init(
        messageSize: Int = 52_428_800,
        discardedOctets: Int = 104_857_600,
        commandLine: Int = 2048,
        authenticationLine: Int = 12_288,
        textLine: Int = 1_048_576,
        recipients: Int = 1000,
        errors: Int = 20,
        refusedRecipients: Int = 200,
        idleCommands: Int = 200
    ) {
        self.messageSize = messageSize
        self.discardedOctets = discardedOctets
        self.commandLine = commandLine
        self.authenticationLine = authenticationLine
        self.textLine = textLine
        self.recipients = recipients
        self.errors = errors
        self.refusedRecipients = refusedRecipients
        self.idleCommands = idleCommands
    }
}
