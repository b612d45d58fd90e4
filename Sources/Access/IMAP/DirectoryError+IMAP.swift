import Directory
import IMAP

extension Refusal {
    /// What a client is told when the directory does not answer.
    ///
    /// RFC 5530 §3
    init(_ error: DirectoryError) {
        switch error {
        case .unavailable: self.init(.no, .unavailable, "Cannot check logins now, try again later")
        case .invalidLogin, .invalidPassword, .foreignDomain, .noSuchAccount, .noSuchAddress:
            self.init(.no, .authenticationFailed, "Wrong login or password")
        case .loginExists, .addressExists, .lastAddress:
            self.init(.no, .serverBug, "Internal error")
        }
    }
}

/// Asks the directory and says its failures in IMAP's words.
func asking<Value>(_ body: () async throws -> Value) async throws(Refusal) -> Value {
    do {
        return try await body()
    } catch let error as DirectoryError {
        throw Refusal(error)
    } catch {
        throw Refusal(.no, .serverBug, "Internal error")
    }
}
