package import Journal
import SMTP

/// Who comes through a door, and so what it may do.
package enum DoorRole: Sendable {
    /// Strangers with mail for us.
    case mx

    /// Our own agents, after authentication, with mail for anybody.
    ///
    /// RFC 6409 §3
    case submission

    /// A trusted front end with mail for our mailboxes; it gets a reply for each recipient.
    ///
    /// RFC 2033 §4
    case lmtp

    package var door: Door {
        switch self {
        case .mx: .mx
        case .submission: .submission
        case .lmtp: .lmtp
        }
    }

    var dialect: Dialect {
        switch self {
        case .mx, .submission: .smtp
        case .lmtp: .lmtp
        }
    }
}
