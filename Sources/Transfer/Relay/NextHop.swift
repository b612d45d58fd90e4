package import Net
package import SMTP

/// Where messages for a destination are handed over, and how.
package struct NextHop: Sendable, Hashable {
    package enum Host: Sendable, Hashable {
        /// The mail exchangers of a domain.
        case exchangers(of: String)
        /// One host by name, with its addresses.
        case name(String)
        /// One address or unix socket.
        case endpoint(Endpoint)
    }

    package enum Security: Sendable, Hashable {
        case none
        /// STARTTLS where it is offered, clear text where it is not or fails.
        ///
        /// RFC 7435 §3
        case opportunistic
        /// No message without STARTTLS.
        case required(Verification)
        /// TLS from the first byte.
        ///
        /// RFC 8314 §3.3
        case implicit(Verification)
    }

    /// Whom the server's certificate must convince.
    package enum Verification: Sendable, Hashable {
        case none
        /// The system's certificate authorities, for the host's name.
        case system
        /// The authorities in a PEM file, for the host's name.
        case authorities(String)
    }

    package var host: Host
    package var port: UInt16
    package var dialect: ClientSettings.Dialect
    package var security: Security
    package var credentials: ClientSettings.Credentials?

    package init(
        _ host: Host,
        port: UInt16 = 25,
        dialect: ClientSettings.Dialect = .smtp,
        security: Security = .opportunistic,
        credentials: ClientSettings.Credentials? = nil
    ) {
        self.host = host
        self.port = port
        self.dialect = dialect
        self.security = security
        self.credentials = credentials
    }
}

extension NextHop.Security {
    /// What the conversation is told; implicit TLS is in place before it begins.
    var demand: ClientSettings.TLSDemand {
        switch self {
        case .none, .implicit: .none
        case .opportunistic: .opportunistic
        case .required: .required
        }
    }

    var verification: NextHop.Verification {
        switch self {
        case .none, .opportunistic: .none
        case .required(let verification), .implicit(let verification): verification
        }
    }
}

/// How the relay behaves; every limit has its default here.
package struct RelaySettings: Sendable {
    /// The name that EHLO gives.
    package var hostName: String
    /// Names of this installation: in a list of mail exchangers they mean that mail would loop.
    package var ownNames: Set<String>
    /// By destination: `example.org`, `.example.org` for what lies below it, `*` for all others.
    package var routes: [String: NextHop]
    /// Where mail exchangers listen; always 25 outside of tests.
    package var exchangerPort: UInt16 = 25
    package var exchangerSecurity: NextHop.Security = .opportunistic
    /// The address that connections come from; nil leaves it to the system.
    package var source: IPAddress?
    package var connectTimeout: Duration = .seconds(30)
    package var timeouts = ClientTimeouts()
    /// Addresses tried in one attempt.
    package var addressesPerAttempt = 8
    /// RFC 5321 §4.5.3.1.8 promises that a server takes 100.
    package var recipientsPerTransaction = 100
    package var transactionsPerConnection = 100
    /// Connections kept open for the next message.
    package var idleConnections = 50
    package var idleConnectionsPerHost = 4
    /// How long one is kept, in milliseconds.
    package var idleMilliseconds: Int64 = 5_000

    package init(hostName: String, routes: [String: NextHop] = [:], ownNames: Set<String> = []) {
        self.hostName = hostName
        self.routes = routes
        self.ownNames = ownNames.union([hostName.lowercased()])
    }

    /// The route for a destination; nil sends it to its mail exchangers.
    func route(to destination: String) -> NextHop? {
        let name = destination.lowercased()
        if let exact = routes[name] { return exact }
        var rest = name[...]
        while let dot = rest.firstIndex(of: ".") {
            if let parent = routes[String(rest[dot...])] { return parent }
            rest = rest[rest.index(after: dot)...]
        }
        return routes["*"]
    }
}
