/// How a client introduces itself and what it insists on.
package struct ClientSettings: Sendable {
    package enum Dialect: Sendable {
        case smtp
        /// RFC 2033 §4
        case lmtp
    }

    package enum TLSDemand: Sendable, Hashable {
        /// Never STARTTLS.
        case none
        /// STARTTLS where it is offered.
        ///
        /// RFC 7435 §3
        case opportunistic
        /// No message and no password without TLS.
        case required
    }

    package struct Credentials: Sendable, Hashable {
        package let login: String
        package let password: String

        package init(login: String, password: String) {
            self.login = login
            self.password = password
        }
    }

    /// The name that EHLO gives.
    package var hello: String
    package var dialect: Dialect
    package var tls: TLSDemand
    /// For AUTH PLAIN; without an announcement of it there is no session.
    package var credentials: Credentials?
    package var timeouts = ClientTimeouts()

    package init(
        hello: String,
        dialect: Dialect = .smtp,
        tls: TLSDemand = .opportunistic,
        credentials: Credentials? = nil
    ) {
        self.hello = hello
        self.dialect = dialect
        self.tls = tls
        self.credentials = credentials
    }
}

/// How long each answer is waited for.
///
/// RFC 5321 §4.5.3.2
package struct ClientTimeouts: Sendable {
    package var greeting: Duration = .seconds(300)
    package var hello: Duration = .seconds(300)
    package var mail: Duration = .seconds(300)
    package var rcpt: Duration = .seconds(300)
    package var dataInitiation: Duration = .seconds(120)
    package var dataTermination: Duration = .seconds(600)
    /// RSET and AUTH.
    package var other: Duration = .seconds(300)
    /// Short: nothing is lost when the good-bye is not heard.
    package var quit: Duration = .seconds(5)

    package init() {}
}
