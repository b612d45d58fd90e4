/// Why the directory did not answer or did not change.
package enum DirectoryError: Error, Equatable {
    /// The database is away: try later.
    case unavailable(String)

    /// A login that is empty, too long or not made of letters, digits, `.`, `-`, `_` and `+`.
    case invalidLogin(String)

    /// A password that cannot be used: empty, or with control characters.
    case invalidPassword

    /// An address outside the domains of this platform.
    case foreignDomain(String)

    case loginExists(String)
    case addressExists(String)
    case noSuchAccount(String)
    case noSuchAddress(String)

    /// The only address of an account, which would be unreachable without it.
    case lastAddress(String)
}

extension DirectoryError: CustomStringConvertible {
    /// What an operator reads on the command line.
    package var description: String {
        switch self {
        case .unavailable(let reason): "the database does not answer: \(reason)"
        case .invalidLogin(let login):
            "\(login) is not a login: use letters, digits, '.', '-', '_' and '+'"
        case .invalidPassword: "a password is neither empty nor holds control characters"
        case .foreignDomain(let domain): "\(domain) is not among [mail] domains"
        case .loginExists(let login): "there is already an account \(login)"
        case .addressExists(let address): "\(address) already belongs to an account"
        case .noSuchAccount(let login): "there is no account \(login)"
        case .noSuchAddress(let address): "no account has the address \(address)"
        case .lastAddress(let address): "\(address) is the account's only address"
        }
    }
}
