import Wire

/// What the server does next in an authentication exchange.
package enum Step: Equatable, Sendable {
    /// Send these bytes, in the encoding of the protocol, and hand back what the client answers.
    case challenge([UInt8])

    /// Check the password, then call `passwordChecked`.
    case checkPassword(authzid: String?, authcid: String, password: String)

    /// Look up the credential of this login, then call `provide`.
    case needsCredential(login: String)

    /// The client is who it says: `authcid` proved its secret and asks to act as `authzid`, nil
    /// meaning itself. Whether it may is for the caller to decide.
    case success(authzid: String?, authcid: String)

    case failure(Failure)
}

/// Why an exchange failed; clients learn no more than that it did.
package enum Failure: Error, Equatable, Sendable {
    /// The client's message does not follow the mechanism.
    case malformed

    /// The secret is wrong, or there is no such login: one case, so that no door can tell them
    /// apart.
    ///
    /// RFC 4422 §6.3
    case rejected

    /// The client wants channel binding, which no mechanism here offers.
    ///
    /// RFC 5802 §6
    case channelBindingUnsupported

    /// A call came that this state does not expect, such as a second answer after the end.
    case outOfOrder
}

/// What an exchange must be given because it keeps no randomness and no secret of its own.
package struct ExchangeSecrets: Sendable {
    /// The server's part of a SCRAM nonce: fresh for each exchange, printable ASCII without comma.
    package let nonce: [UInt8]

    /// From what the parameters of logins that do not exist are derived; the same on every node
    /// and after a restart, or an attacker tells unknown logins by their changing salt.
    package let decoySecret: [UInt8]

    package init(nonce: [UInt8], decoySecret: [UInt8]) {
        self.nonce = nonce
        self.decoySecret = decoySecret
    }

    /// Makes the nonce from at least 18 random bytes, which it encodes in base 64.
    package init(randomBytes: [UInt8], decoySecret: [UInt8]) {
        self.init(nonce: Base64.encode(randomBytes), decoySecret: decoySecret)
    }
}

/// The server's side of one authentication exchange, whatever protocol carries it.
///
/// The caller begins with `start`, answers each `Step` with the call that it names, and ends at
/// `success` or `failure`. Messages longer than `maximumMessageLength` fail.
///
/// RFC 4422 §3
package struct ServerExchange: Sendable {
    /// Bytes of the longest client message accepted.
    package static let maximumMessageLength = 4096

    private enum State {
        case plain(PlainExchange)
        case login(LoginExchange)
        case scram(SCRAMExchange)
        case finished
    }

    private var state: State

    package init(_ mechanism: Mechanism, secrets: ExchangeSecrets) {
        state =
            switch mechanism {
            case .plain: .plain(PlainExchange())
            case .login: .login(LoginExchange())
            case .scramSHA256: .scram(SCRAMExchange(secrets: secrets))
            }
    }

    /// Begins with the client's initial response, or nil when the command carried none.
    ///
    /// An empty initial response (`=` in SMTP and IMAP) is not nil.
    ///
    /// RFC 4422 §3.3
    package mutating func start(initialResponse: [UInt8]?) -> Step {
        guard let initialResponse else {
            if case .login = state { return .challenge(LoginExchange.userPrompt) }
            return .challenge([])
        }
        return receive(initialResponse)
    }

    /// Takes the client's answer to the last challenge.
    package mutating func receive(_ message: [UInt8]) -> Step {
        guard message.count <= Self.maximumMessageLength else { return finish(.malformed) }
        return advance { state in
            switch state {
            case .plain(var exchange):
                defer { state = .plain(exchange) }
                return exchange.receive(message)
            case .login(var exchange):
                defer { state = .login(exchange) }
                return exchange.receive(message)
            case .scram(var exchange):
                defer { state = .scram(exchange) }
                return exchange.receive(message)
            case .finished:
                return .failure(.outOfOrder)
            }
        }
    }

    /// Answers `checkPassword`.
    package mutating func passwordChecked(_ verdict: PasswordVerdict) -> Step {
        advance { state in
            switch state {
            case .plain(let exchange): exchange.passwordChecked(verdict)
            case .login(let exchange): exchange.passwordChecked(verdict)
            case .scram, .finished: .failure(.outOfOrder)
            }
        }
    }

    /// Answers `needsCredential`; nil when there is no such login or it has no such credential.
    ///
    /// The exchange goes on with a decoy, so that the client cannot tell the difference.
    package mutating func provide(_ credential: SCRAMCredential?) -> Step {
        advance { state in
            guard case .scram(var exchange) = state else { return .failure(.outOfOrder) }
            defer { state = .scram(exchange) }
            return exchange.provide(credential)
        }
    }

    private mutating func advance(_ body: (inout State) -> Step) -> Step {
        let step = body(&state)
        switch step {
        case .success, .failure: state = .finished
        case .challenge, .checkPassword, .needsCredential: break
        }
        return step
    }

    private mutating func finish(_ failure: Failure) -> Step {
        state = .finished
        return .failure(failure)
    }
}

/// What the check of a password said.
package enum PasswordVerdict: Sendable {
    case accepted, rejected
}
