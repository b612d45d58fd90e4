import Wire

/// The PLAIN mechanism: one message with authorization identity, login and password.
///
///     message = [authzid] UTF8NUL authcid UTF8NUL passwd
///
/// RFC 4616 §2
struct PlainExchange {
    private var claim: (authzid: String?, authcid: String)?

    mutating func receive(_ message: [UInt8]) -> Step {
        guard claim == nil else { return .failure(.outOfOrder) }
        let fields = message.split(separator: 0, omittingEmptySubsequences: false)
        guard fields.count == 3, !fields[1].isEmpty, !fields[2].isEmpty,
            let authzid = String(utf8: fields[0]), let authcid = String(utf8: fields[1]),
            let password = String(utf8: fields[2])
        else { return .failure(.malformed) }

        let identity = authzid.isEmpty ? nil : authzid
        claim = (identity, authcid)
        return .checkPassword(authzid: identity, authcid: authcid, password: password)
    }

    func passwordChecked(_ verdict: PasswordVerdict) -> Step {
        guard let claim else { return .failure(.outOfOrder) }
        return switch verdict {
        case .accepted: .success(authzid: claim.authzid, authcid: claim.authcid)
        case .rejected: .failure(.rejected)
        }
    }
}
