/// One open connection of an engine, used by one thread at a time.
protocol Session: AnyObject {
    /// The first statement error of the open transaction, which dooms it.
    var failure: DatabaseError? { get }

    func query(
        _ statement: Statement,
        _ values: [SQLValue],
        fetch: Fetch,
        _ body: (borrowing Row) throws -> Void
    ) throws

    /// Runs a statement and returns how many rows it changed.
    func execute(_ statement: Statement, _ values: [SQLValue]) throws -> Int

    /// Runs a statement whose answer nobody waits for; its error comes with a later call.
    func submit(_ statement: Statement, _ values: [SQLValue]) throws
}

/// How a result reaches this process.
enum Fetch {
    /// All rows at once; the closure may use the connection.
    case whole
    /// Row by row in bounded memory; the closure may not use the connection.
    case rowByRow
}

/// How long a transaction waits for another lane's locks.
enum Patience {
    /// Briefly: many jobs hold many locks, and two groups easily wait for each other.
    case group
    /// As long as it takes to be sure.
    case alone
}

/// A connection that commits.
protocol WriterSession: Session {
    func begin(_ patience: Patience) throws(DatabaseError)

    func savepoint() throws(DatabaseError)

    /// Keeps what was done since `savepoint()`, after every submitted statement has answered.
    func release() throws(DatabaseError)

    /// Undoes what was done since `savepoint()`.
    func rollBackToSavepoint() throws(DatabaseError)

    /// Returns when the transaction is durable; on an error ask `isCommitUnknown`.
    func commit(with notices: [NoticeText]) throws(DatabaseError)

    /// Undoes the transaction; does nothing when there is none.
    func rollBack()

    /// The connection can no longer be used.
    var isLost: Bool { get }

    /// The last `commit` failed in a way that leaves open whether it happened.
    var isCommitUnknown: Bool { get }
}
