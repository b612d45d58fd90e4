import Directory
import IMAP
import Journal
import Mail
import Net
import SASL
import Store
import Wire

extension IMAPSession {
    /// LOGIN.
    ///
    /// RFC 9051 §6.2.3
    mutating func login(_ command: LoginCommand) async throws(Refusal) -> Completion {
        try mayAuthenticate()
        let answer = try await asking {
            try await door.directory.authenticate(
                login: command.login,
                password: command.password
            )
        }
        guard case .accepted(let account) = answer else {
            throw await failed(command.login, "LOGIN")
        }
        return try await enter(account, "LOGIN", mechanism: "LOGIN")
    }

    /// AUTHENTICATE, with or without an initial response.
    ///
    /// RFC 9051 §6.2.2, RFC 4959 §3
    mutating func authenticate(_ command: AuthenticateCommand) async throws(Refusal) -> Completion {
        try mayAuthenticate()
        guard let mechanism = Mechanism(name: command.mechanism.utf8) else {
            throw Refusal(.no, .cannot, "Mechanism not supported")
        }
        var exchange = ServerExchange(
            mechanism,
            secrets: ExchangeSecrets(
                randomBytes: door.random(18),
                decoySecret: door.directory.decoySecret
            )
        )
        var initial: [UInt8]?
        if let response = command.initialResponse {
            guard let bytes = Base64.decode(response[...]) else {
                throw Refusal(.bad, nil, "Invalid base64")
            }
            initial = bytes
        }
        var account: Account?
        var name = ""
        var step = exchange.start(initialResponse: initial)
        while true {
            switch step {
            case .challenge(let bytes):
                step = exchange.receive(try await answer(to: bytes))
            case .checkPassword(let authzid, let authcid, let password):
                name = authcid
                let found = try await asking {
                    try await door.directory.authenticate(login: authcid, password: password)
                }
                let isSelf = authzid == nil || authzid == authcid
                if case .accepted(let accepted) = found, isSelf { account = accepted }
                step = exchange.passwordChecked(account == nil ? .rejected : .accepted)
            case .needsCredential(let login):
                name = login
                let known = try await asking {
                    try await door.directory.credential(login: login)
                }
                account = known?.account
                step = exchange.provide(known?.credential)
            case .success(let authzid, let authcid):
                // Nobody acts for another until delegations exist.
                guard let account, authzid == nil || authzid == authcid else {
                    throw await failed(name, mechanism.rawValue)
                }
                return try await enter(
                    account,
                    "AUTHENTICATE",
                    mechanism: mechanism.rawValue
                )
            case .failure(.malformed):
                throw Refusal(.bad, nil, "Malformed authentication data")
            case .failure:
                throw await failed(name, mechanism.rawValue)
            }
        }
    }

    // MARK: The exchange

    /// Sends a challenge and waits for the client's line.
    private mutating func answer(to challenge: [UInt8]) async throws(Refusal) -> [UInt8] {
        writer.continuation(Base64.encode(challenge))
        reader.expectLine()
        while true {
            switch reader.next() {
            case .line(let line):
                if line.count == 1, line.first == 0x2A {
                    throw Refusal(.bad, nil, "AUTHENTICATE cancelled")
                }
                guard let bytes = Base64.decode(line) else {
                    throw Refusal(.bad, nil, "Invalid base64")
                }
                return bytes
            case .overlongLine: throw Refusal(.bad, .tooBig, "Line too long")
            default: break
            }
            guard await flush(),
                case .bytes(let bytes) = await connection.next(within: timeToLogIn)
            else {
                phase = .ending
                throw Refusal(.no, .unavailable, "Connection lost")
            }
            reader.feed(bytes)
        }
    }

    // MARK: In and out

    private func mayAuthenticate() throws(Refusal) {
        guard authenticated == nil else { throw Refusal(.bad, nil, "Already logged in") }
        guard mayLogIn else {
            throw Refusal(.no, .privacyRequired, "Use TLS before you log in")
        }
    }

    /// Counts a failed login, makes the client wait, and yields what it is told.
    private mutating func failed(_ name: String, _ mechanism: String) async -> Refusal {
        door.journal.record(
            .loginFailed(door: .imap, name: name, client: clientName, mechanism: mechanism)
        )
        client.failedLogins += 1
        try? await Task.sleep(for: door.settings.failedLoginDelay)
        if client.failedLogins >= door.settings.failedLogins {
            writer.bye(nil, "Too many failed logins")
            phase = .ending
        }
        return Refusal(.no, .authenticationFailed, "Wrong login or password")
    }

    private var clientName: String { connection.peer.map { "\($0)" } ?? "unknown" }

    private mutating func enter(
        _ account: Account,
        _ command: String,
        mechanism: String
    ) async throws(Refusal) -> Completion {
        guard door.sessions.enter(account.id, limit: door.settings.sessionsPerAccount) else {
            throw Refusal(.no, .limit, "Too many sessions of this account")
        }
        do throws(Refusal) {
            try await storing {
                try await door.store.openAccount(
                    account.id,
                    language: account.language.flatMap { MailboxLanguage(rawValue: $0) }
                        ?? door.settings.language
                )
            }
        } catch {
            door.sessions.leave(account.id)
            throw error
        }
        authenticated = Authenticated(
            account: account.id,
            name: account.login,
            quota: QuotaLimit(
                bytes: account.quotaBytes ?? door.settings.quota.bytes,
                messages: account.quotaMessages ?? door.settings.quota.messages
            )
        )
        reader.limits = CommandLimits(message: door.settings.messageBytes)
        door.journal.record(
            .login(
                door: .imap,
                account: account.login,
                client: clientName,
                mechanism: mechanism,
                secure: connection.isSecure
            )
        )
        return Completion(.capability(capabilities), "\(command) completed")
    }
}
