import Database
import SMTP

extension Reply {
    /// The only place where a database error becomes an SMTP reply.
    ///
    /// `unavailable` leaves open whether the message became durable: the sender comes back, and a
    /// message may arrive twice but is never lost.
    ///
    /// RFC 5321 §4.2.3, §6.1
    init(because error: DatabaseError) {
        self =
            switch error {
            case .unavailable, .constraint, .conflict, .newerProgram, .failed: .localError
            }
    }
}
