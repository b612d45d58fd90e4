/// Why the database did not do what it was asked.
///
/// The texts are for the log; no client sees them.
package enum DatabaseError: Error, Equatable {
    /// The engine is away, overloaded or out of space. For a write this means *unknown*: it may
    /// have become durable if the connection was lost while the commit was under way.
    case unavailable(String)

    /// A constraint of the schema refused the row.
    case constraint(Constraint, String)

    /// Another transaction got in the way, and kept doing so when tried again.
    case conflict(String)

    /// The database was migrated by a newer version of this program.
    case newerProgram(service: String)

    /// The statement is wrong, or a value cannot be stored.
    case failed(String)

    /// Which rule of the schema was violated.
    package enum Constraint: Sendable {
        case unique, notNull, foreignKey, check
    }
}
