import Directory
import Journal
import SASL
import SMTP
import Wire

/// An authentication exchange under way.
struct AuthenticationDialogue {
    let mechanism: Mechanism
    var exchange: ServerExchange
    /// The login the client named, for the journal.
    var login = ""
    /// Whom the secret belongs to, once it was looked up.
    var account: Account?
}

extension Session {
    /// AUTH: begins an exchange.
    ///
    /// RFC 4954 §4
    mutating func authenticate(_ name: String, _ initialResponse: [UInt8]?) async {
        guard !parts.throttle.isShutOut(client.address) else {
            return conversation.authenticationFailed(.authenticationShutOut)
        }
        guard let mechanism = Mechanism(name: Array(name.utf8)) else {
            return conversation.authenticationFailed(.identityRefused)
        }
        let secrets = ExchangeSecrets(
            randomBytes: parts.random(18),
            decoySecret: parts.directory.decoySecret
        )
        var dialogue = AuthenticationDialogue(
            mechanism: mechanism,
            exchange: ServerExchange(mechanism, secrets: secrets)
        )
        let step = dialogue.exchange.start(initialResponse: initialResponse)
        authentication = dialogue
        await advance(step)
    }

    /// Goes on with what the client said to a challenge.
    mutating func authenticationResponse(_ response: [UInt8]) async {
        guard let step = authentication?.exchange.receive(response) else {
            return conversation.authenticationFailed(.identityRefused)
        }
        await advance(step)
    }

    private mutating func advance(_ first: Step) async {
        var step = first
        while true {
            switch step {
            case .challenge(let bytes):
                return conversation.challenge(bytes)
            case .checkPassword(_, let authcid, let password):
                authentication?.login = authcid
                do {
                    switch try await parts.directory.authenticate(
                        login: authcid,
                        password: password
                    ) {
                    case .accepted(let account):
                        authentication?.account = account
                        step = pass { $0.passwordChecked(.accepted) }
                    case .rejected:
                        step = pass { $0.passwordChecked(.rejected) }
                    }
                } catch {
                    return unavailable()
                }
            case .needsCredential(let login):
                authentication?.login = login
                do {
                    let known = try await parts.directory.credential(login: login)
                    authentication?.account = known?.account
                    step = pass { $0.provide(known?.credential) }
                } catch {
                    return unavailable()
                }
            case .success(let authzid, _):
                return await succeed(authzid)
            case .failure:
                return await fail()
            }
        }
    }

    private mutating func pass(_ body: (inout ServerExchange) -> Step) -> Step {
        guard var dialogue = authentication else { return .failure(.outOfOrder) }
        defer { authentication = dialogue }
        return body(&dialogue.exchange)
    }

    // An account acts as itself only: another authorization identity must name the same account.
    private mutating func succeed(_ authzid: String?) async {
        guard let dialogue = authentication, let owner = dialogue.account else {
            return await fail()
        }
        if let authzid {
            do {
                guard try await parts.directory.account(login: authzid)?.id == owner.id else {
                    return await fail()
                }
            } catch {
                return unavailable()
            }
        }
        parts.throttle.succeeded(client.address)
        account = owner
        authentication = nil
        parts.journal.record(
            .login(
                door: settings.role.door,
                account: owner.login,
                client: client.text,
                mechanism: dialogue.mechanism.rawValue,
                secure: conversation.isSecure
            )
        )
        conversation.authenticated()
    }

    private mutating func fail() async {
        parts.journal.record(
            .loginFailed(
                door: settings.role.door,
                name: authentication?.login ?? "",
                client: client.text,
                mechanism: authentication?.mechanism.rawValue ?? ""
            )
        )
        authentication = nil
        let delay = parts.throttle.failed(client.address)
        // Cancelled when the server stops: the reply goes out all the sooner.
        if delay > .zero { try? await Task.sleep(for: delay) }
        conversation.authenticationFailed(.credentialsInvalid)
    }

    private mutating func unavailable() {
        authentication = nil
        conversation.authenticationFailed(.authenticationUnavailable)
    }
}
