import Database

/// Why the queue did not do what it was asked; the texts are for the log.
package enum QueueError: Error, Equatable {
    /// The database is away; a later try may succeed.
    case unavailable(String)

    /// A row cannot be read back, or a statement failed that should not.
    case failed(String)
}

extension QueueError {
    init(_ error: any Error) {
        self =
            switch error {
            case let error as QueueError: error
            case DatabaseError.unavailable(let text), DatabaseError.conflict(let text):
                .unavailable(text)
            default: .failed("\(error)")
            }
    }
}
