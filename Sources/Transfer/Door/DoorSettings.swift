package import Net
package import SMTP

/// How one door behaves: what it announces and how long it waits.
package struct DoorSettings: Sendable {
    package var role: DoorRole
    /// The name in the greeting, in Received fields and in Message-IDs.
    package var hostName: String
    /// Nil for a door without STARTTLS.
    package var tls: TLSIdentity?
    /// Whether passwords are taken without TLS.
    ///
    /// RFC 4954 §4
    package var allowsCleartextLogin: Bool
    package var limits: ConversationLimits
    package var patience: Patience

    package init(
        role: DoorRole,
        hostName: String,
        tls: TLSIdentity? = nil,
        allowsCleartextLogin: Bool = false,
        limits: ConversationLimits = ConversationLimits(),
        patience: Patience = Patience()
    ) {
        self.role = role
        self.hostName = hostName
        self.tls = tls
        self.allowsCleartextLogin = allowsCleartextLogin
        self.limits = limits
        self.patience = patience
    }
}

/// How long a door waits for a client.
package struct Patience: Sendable {
    /// For a whole command line, however its octets trickle in.
    ///
    /// RFC 5321 §4.5.3.2.7
    package var command: Duration
    /// For the next octets of a message.
    ///
    /// RFC 5321 §4.5.3.2.5
    package var dataBlock: Duration
    /// For a whole message: a client that sends an octet now and then is bounded, too.
    package var message: Duration

    package init(
        command: Duration = .seconds(300),
        dataBlock: Duration = .seconds(180),
        message: Duration = .seconds(3600)
    ) {
        self.command = command
        self.dataBlock = dataBlock
        self.message = message
    }
}
