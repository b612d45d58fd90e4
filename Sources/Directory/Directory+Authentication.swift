import Crypto
import Net
package import SASL

/// What came of a login attempt.
package enum Authentication: Sendable {
    case accepted(Account)
    /// Wrong password, unknown login or an account that may not log in: one case, so that no door
    /// can tell them apart.
    case rejected
}

extension Directory {
    /// Verifies `password` for a login or an address.
    ///
    /// A login that does not exist costs as much as a wrong password. A password that was verified
    /// lately is recognised by its keyed hash, so that clients that log in all the time do not
    /// cost a key derivation each time.
    package func authenticate(
        login: String,
        password: String
    ) async throws(DirectoryError) -> Authentication {
        let entry = try await entry(login.lowercased())
        let credential =
            entry?.credential ?? SCRAMCredential.decoy(login: login, secret: decoySecret)
        let mark = self.mark(password, for: credential)
        let isKnown = verified.value(for: mark, at: clock()) ?? false
        let isRight: Bool
        if isKnown {
            isRight = true
        } else {
            isRight = try await asking {
                try await BlockingThreads.shared.run { credential.verify(password: password) }
            }
        }
        guard isRight, let entry, entry.credential != nil, entry.account.state == .active else {
            return .rejected
        }
        if !isKnown { verified.put(true, for: mark, at: clock(), epoch: verified.epoch) }
        return .accepted(entry.account)
    }

    /// The account and SCRAM credential of a login or address; nil when it may not log in.
    package func credential(
        login: String
    ) async throws(DirectoryError) -> (account: Account, credential: SCRAMCredential)? {
        guard let entry = try await entry(login.lowercased()), let credential = entry.credential,
            entry.account.state == .active
        else { return nil }
        return (entry.account, credential)
    }

    /// Names a (credential, password) pair without keeping the password; a changed credential is
    /// another pair, so nothing needs to be forgotten when a password changes.
    private func mark(_ password: String, for credential: SCRAMCredential) -> [UInt8] {
        var hmac = HMAC<SHA256>(key: verifiedKey)
        hmac.update(data: credential.storedKey)
        hmac.update(data: credential.salt)
        hmac.update(data: Array(password.utf8))
        return Array(hmac.finalize())
    }
}
