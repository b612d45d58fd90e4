import Wire

/// The LOGIN mechanism, obsolete and never standardised, which old clients still insist on.
///
/// The prompts are those that clients compare letter by letter. A first message sent with the
/// command is the login.
struct LoginExchange {
    static let userPrompt = Array("Username:".utf8)
    static let passwordPrompt = Array("Password:".utf8)

    private enum State {
        case waitingForLogin
        case waitingForPassword(login: String)
        case checking(login: String)
    }

    private var state = State.waitingForLogin

    mutating func receive(_ message: [UInt8]) -> Step {
        guard let text = String(utf8: message), !text.isEmpty, !message.contains(0) else {
            return .failure(.malformed)
        }
        switch state {
        case .waitingForLogin:
            state = .waitingForPassword(login: text)
            return .challenge(Self.passwordPrompt)
        case .waitingForPassword(let login):
            state = .checking(login: login)
            return .checkPassword(authzid: nil, authcid: login, password: text)
        case .checking:
            return .failure(.outOfOrder)
        }
    }

    func passwordChecked(_ verdict: PasswordVerdict) -> Step {
        guard case .checking(let login) = state else { return .failure(.outOfOrder) }
        return switch verdict {
        case .accepted: .success(authzid: nil, authcid: login)
        case .rejected: .failure(.rejected)
        }
    }
}
