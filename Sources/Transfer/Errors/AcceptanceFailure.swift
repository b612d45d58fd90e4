import Database
import SMTP
import Store

/// Why the acceptance of a message did not come about.
enum AcceptanceFailure: Error {
    /// A mailbox filled up between RCPT and the end of data; nothing was written.
    case filledUp
    case store(StoreError)
    case database(DatabaseError)
    case other(String)

    init(_ error: any Error) {
        self =
            switch error {
            case let error as AcceptanceFailure: error
            case let error as StoreError: .store(error)
            case let error as DatabaseError: .database(error)
            default: .other("\(error)")
            }
    }

    var reply: Reply {
        switch self {
        case .filledUp: .mailboxFilledUp
        case .store(let error): Reply(because: error)
        case .database(let error): Reply(because: error)
        case .other: .localError
        }
    }

    /// For the journal.
    var reason: String {
        switch self {
        case .filledUp: "a mailbox filled up"
        case .store(let error): "store: \(error)"
        case .database(let error): "database: \(error)"
        case .other(let text): text
        }
    }
}
