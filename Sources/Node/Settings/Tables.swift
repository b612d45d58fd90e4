import Filter
package import Mail
import Net
import Wire

// One struct for each table of the configuration file. The text beside a key is what the reference
// page says (docs/operators/configuration.md is generated from it).

/// `[node]`: this machine.
package struct NodeSettings: Sendable {
    package let hostname: String
    package let data: String
    package let language: Language
    package let drainSeconds: Int
    package let logLevel: LogLevel

    init(_ reader: SettingsReader) {
        hostname = reader.string(
            "hostname",
            default: "",
            "The name this node gives in greetings, EHLO and Received fields. Required."
        )
        if hostname.isEmpty {
            reader.require("hostname")
        } else if !isDomain(hostname) {
            reader.complain("hostname", "hostname is not a host name: \(hostname)")
        }
        data = reader.string(
            "data",
            default: "/var/lib/relais",
            "The directory for the embedded database and the large bodies."
        )
        language = reader.choice(
            "language",
            default: .french,
            "The language of new mailboxes' folder names and, first, of delivery reports."
        )
        drainSeconds = reader.integer(
            "drain_seconds",
            default: 30,
            in: 0...3_600,
            "How long SIGTERM lets open connections finish before they are cut."
        )
        logLevel = reader.choice(
            "log_level",
            default: .notice,
            "The least severe level written; `notice` is the mail journal."
        )
    }
}

/// True for a name that could stand behind the `@` of an address.
private func isDomain(_ name: String) -> Bool {
    EmailAddress(parsing: Array("postmaster@\(name)".utf8)[...]) != nil && !name.hasPrefix("[")
}

/// The languages agents and office heads read.
package enum Language: String, CaseIterable, Sendable {
    case french = "fr"
    case english = "en"
}

/// Severity of log lines, least severe first.
package enum LogLevel: String, CaseIterable, Sendable {
    case debug, info, notice, warning, error
}

/// `[mail]`: the administration's own mail.
package struct MailSettings: Sendable {
    package let domains: [String]
    package let postmaster: EmailAddress?
    package let maximumMessageBytes: Int
    package let quotaMegabytes: Int
    package let quotaMessages: Int
    package let keepExpungedDays: Int

    init(_ reader: SettingsReader) {
        domains = reader.strings(
            "domains",
            default: [],
            "The domains whose mailboxes live here; mail for any other is relayed or refused."
        ).map { $0.lowercased() }
        for domain in domains where !isDomain(domain) {
            reader.complain("domains", "not a domain: \(domain)")
        }
        let text = reader.optionalString(
            "postmaster",
            "The address that receives mail for `postmaster` and `abuse` of every domain."
        )
        postmaster = text.flatMap { EmailAddress(parsing: Array($0.utf8)[...]) }
        if let text, postmaster == nil {
            reader.complain("postmaster", "postmaster is not a mail address: \(text)")
        }
        maximumMessageBytes =
            reader.integer(
                "maximum_message_megabytes",
                default: 50,
                in: 1...1_024,
                "The largest message accepted by any door, in MiB."
            ) << 20
        quotaMegabytes = reader.integer(
            "quota_megabytes",
            default: 0,
            in: 0...1_048_576,
            "The storage limit of accounts that have none of their own, in MiB; 0 is no limit."
        )
        quotaMessages = reader.integer(
            "quota_messages",
            default: 0,
            in: 0...1_000_000_000,
            "The limit on the number of messages, likewise; 0 is no limit."
        )
        keepExpungedDays = reader.integer(
            "keep_expunged_days",
            default: 14,
            in: 0...3_650,
            "How long expunged messages and deleted mailboxes stay before they are removed for good."
        )
    }
}

/// `[database]`: where everything small is kept.
package struct DatabaseSettings: Sendable {
    package let url: String?
    package let lanes: Int
    package let readers: Int

    init(_ reader: SettingsReader) {
        url = reader.optionalString(
            "url",
            "`postgresql://…` for a PostgreSQL cluster, or `sqlite:/path`. Default: SQLite in `[node] data`."
        )
        if let url, !url.hasPrefix("sqlite:"), !url.hasPrefix("postgresql://"),
            !url.hasPrefix("postgres://")
        {
            reader.complain("url", "url must begin with sqlite: or postgresql://")
        }
        lanes = reader.integer(
            "lanes",
            default: 4,
            in: 1...64,
            "PostgreSQL only: connections that write, accounts being spread over them."
        )
        readers = reader.integer(
            "readers",
            default: 4,
            in: 1...64,
            "Connections that read, side by side."
        )
    }
}

/// `[tls]`: the node's identity.
package struct TLSSettings: Sendable {
    package let certificate: String?
    package let key: String?

    init(_ reader: SettingsReader) {
        certificate = reader.optionalString(
            "certificate",
            "PEM file with the certificate chain; read again on SIGHUP."
        )
        key = reader.optionalString(
            "key",
            "PEM file with the private key; read again on SIGHUP."
        )
    }
}

/// `[[listener]]`: one address and port, one protocol.
package struct ListenerSettings: Sendable {
    package enum ServiceProtocol: String, CaseIterable, Sendable {
        case smtp, submission, lmtp, imap
    }

    package enum TLSMode: String, CaseIterable, Sendable {
        case none, starttls, implicit
    }

    package let serviceProtocol: ServiceProtocol
    package let address: String
    package let port: Int
    package let tls: TLSMode
    package let cleartextLogin: Bool
    package let maximumConnections: Int
    package let maximumConnectionsPerClient: Int

    init(_ reader: SettingsReader) {
        serviceProtocol = reader.choice(
            "protocol",
            default: .smtp,
            "What is spoken: `smtp` is the MX door."
        )
        address = reader.string(
            "address",
            default: "127.0.0.1",
            "The address to listen on; `0.0.0.0` or `::` is all."
        )
        port = reader.integer("port", default: 0, in: 0...65_535, "The TCP port. Required.")
        if port == 0 { reader.require("port") }
        tls = reader.choice(
            "tls",
            default: .starttls,
            "Upgrade by STARTTLS, TLS from the first byte, or none."
        )
        cleartextLogin = reader.flag(
            "cleartext_login",
            default: false,
            "Whether passwords are taken without TLS; only on a loopback address."
        )
        if IPAddress(address) == nil {
            reader.complain("address", "address is not an IP address: \(address)")
        }
        let loopback = address.hasPrefix("127.") || address == "::1"
        if cleartextLogin, !loopback {
            reader.complain(
                "cleartext_login",
                "cleartext_login is allowed on a loopback address only"
            )
        }
        maximumConnections = reader.integer(
            "maximum_connections",
            default: 20_000,
            in: 1...1_000_000,
            "Connections open at once on this listener."
        )
        maximumConnectionsPerClient = reader.integer(
            "maximum_connections_per_client",
            default: 200,
            in: 1...1_000_000,
            "Connections open at once from one client address."
        )
    }
}

/// `[[antivirus]]`: one engine that looks at every message.
package struct AntivirusSettings: Sendable {
    package enum Engine: String, CaseIterable, Sendable {
        case clamd
    }

    package let engine: Engine
    package let addresses: [String]
    package let timeoutSeconds: Int
    package let optional: Bool

    init(_ reader: SettingsReader) {
        engine = reader.choice("engine", default: .clamd, "The kind of engine.")
        addresses = reader.strings(
            "addresses",
            default: ["unix:/run/clamav/clamd.ctl"],
            "`unix:/path` or `host:port`, tried in this order."
        )
        for address in addresses where ClamdAddress(address) == nil {
            reader.complain("addresses", "not unix:/path or host:port: \(address)")
        }
        timeoutSeconds = reader.integer(
            "timeout_seconds",
            default: 30,
            in: 1...600,
            "Time the engine has for one message."
        )
        optional = reader.flag(
            "optional",
            default: false,
            "When true, mail passes unscanned while the engine is down; otherwise it is deferred (451)."
        )
    }
}

/// `[[route]]`: where mail for a domain goes instead of its MX.
package struct RouteSettings: Sendable {
    package enum Hop: String, CaseIterable, Sendable {
        case smtp, lmtp
    }

    package enum TLSPolicy: String, CaseIterable, Sendable {
        case none, opportunistic, required
    }

    package let domain: String
    package let hop: Hop
    package let host: String
    package let port: Int
    package let tls: TLSPolicy
    package let login: String?
    package let passwordFile: String?

    init(_ reader: SettingsReader) {
        domain = reader.string(
            "domain",
            default: "",
            "The recipient domain, or `*` for every domain without a route of its own. Required."
        ).lowercased()
        if domain.isEmpty { reader.require("domain") }
        hop = reader.choice("protocol", default: .smtp, "What the next hop speaks.")
        host = reader.string(
            "host",
            default: "",
            "The next hop's host name or address. Required."
        )
        if host.isEmpty { reader.require("host") }
        port = reader.integer("port", default: 25, in: 1...65_535, "The next hop's port.")
        tls = reader.choice(
            "tls",
            default: .opportunistic,
            "`required` verifies the certificate and defers without TLS."
        )
        login = reader.optionalString("login", "Login name for the next hop, sent only over TLS.")
        passwordFile = reader.optionalString(
            "password_file",
            "A file that holds the password, read at start."
        )
        if (login == nil) != (passwordFile == nil) {
            reader.complain("login", "login and password_file go together")
        }
        if login != nil, tls != .required {
            reader.complain("tls", "a route with a login needs tls = \"required\"")
        }
    }
}

/// `[dns]`: how names are looked up.
package struct DNSSettings: Sendable {
    package let servers: [String]

    init(_ reader: SettingsReader) {
        servers = reader.strings(
            "servers",
            default: [],
            "Resolvers to ask, `address` or `address@port`; default: those of /etc/resolv.conf."
        )
        for server in servers where !Self.isResolver(server) {
            reader.complain("servers", "not address or address@port: \(server)")
        }
    }

    private static func isResolver(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard let address = parts.first, IPAddress(String(address)) != nil else { return false }
        return parts.count == 1 || (parts.count == 2 && UInt16(parts[1]) != nil)
    }
}

/// `[queue]`: mail that waits for its next hop.
package struct QueueSettings: Sendable {
    package let retryMinutes: [Int]
    package let lifetimeHours: Int
    package let delayWarningHours: Int
    package let maximumAttempts: Int
    package let maximumPerDestination: Int

    init(_ reader: SettingsReader) {
        retryMinutes = reader.integers(
            "retry_minutes",
            default: [5, 10, 20, 40, 80, 160, 240],
            in: 1...10_080,
            "Minutes between attempts; the last one repeats."
        )
        lifetimeHours = reader.integer(
            "lifetime_hours",
            default: 120,
            in: 1...720,
            "After this a message is returned to its reverse-path."
        )
        delayWarningHours = reader.integer(
            "delay_warning_hours",
            default: 4,
            in: 0...720,
            "After this the reverse-path is warned once; 0 is never."
        )
        maximumAttempts = reader.integer(
            "maximum_attempts_at_once",
            default: 100,
            in: 1...10_000,
            "Attempts in flight over all destinations."
        )
        maximumPerDestination = reader.integer(
            "maximum_attempts_per_destination",
            default: 10,
            in: 1...1_000,
            "Attempts in flight to one destination."
        )
    }
}

/// `[limits]`: what one client may ask for.
package struct LimitSettings: Sendable {
    package let recipients: Int
    package let errorsPerSession: Int
    package let heldMegabytes: Int
    package let sessionsPerAccount: Int

    init(_ reader: SettingsReader) {
        recipients = reader.integer(
            "recipients_per_transaction",
            default: 1_000,
            in: 100...50_000,
            "RCPT commands in one mail transaction."
        )
        errorsPerSession = reader.integer(
            "errors_per_session",
            default: 20,
            in: 1...1_000,
            "Commands refused for syntax or order before an SMTP client is cut off (421); refused recipients have a limit of their own, 200."
        )
        heldMegabytes = reader.integer(
            "held_megabytes",
            default: 512,
            in: 16...65_536,
            "Memory for message bodies being received, in MiB; above it senders get 452."
        )
        sessionsPerAccount = reader.integer(
            "sessions_per_account",
            default: 100,
            in: 1...100_000,
            "IMAP sessions one account may hold open."
        )
    }
}
