import Directory
import SMTP

extension Reply {
    /// The only place where a directory error becomes an SMTP reply.
    ///
    /// A route or a right that cannot be looked up says nothing about the recipient: 451, and the
    /// sender comes back. The other cases belong to the administration's verbs, which no door
    /// calls.
    ///
    /// RFC 5321 §4.2.3
    init(because error: DirectoryError) {
        self =
            switch error {
            case .unavailable: .localError
            case .invalidLogin, .invalidPassword, .foreignDomain, .loginExists, .addressExists,
                .noSuchAccount, .noSuchAddress, .lastAddress:
                .localError
            }
    }
}
