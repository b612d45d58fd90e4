/// One job's part of a write transaction.
///
/// A statement that fails dooms the job, whether or not the error is caught: its writes are undone
/// and the caller gets the error.
package final class Transaction {
    /// The reading half, for functions that serve reads and writes alike.
    package let reader: Reader

    private(set) var hooks: [@Sendable () -> Void] = []
    private(set) var notices: [NoticeText] = []

    /// A statement ran that may have written.
    private(set) var hasWritten = false

    init(_ session: any Session) {
        reader = Reader(session)
    }

    /// Runs a statement and returns how many rows it changed.
    @discardableResult
    package func execute(_ statement: Statement, _ values: any SQLConvertible...) throws -> Int {
        try execute(statement, values: values.map(\.sqlValue))
    }

    /// Runs a statement whose answer is not needed.
    ///
    /// PostgreSQL is not waited for: an error appears at a later statement or at the commit, and
    /// reaches this job's caller either way.
    package func submit(_ statement: Statement, _ values: any SQLConvertible...) throws {
        try submit(statement, values: values.map(\.sqlValue))
    }

    /// Calls `hook` on the engine's thread once the transaction is durable, before the caller of
    /// `write` goes on; never when it fails.
    ///
    /// Hooks of one lane run in commit order. A hook must be short and must not wait.
    package func afterCommit(_ hook: @escaping @Sendable () -> Void) {
        hooks.append(hook)
    }

    /// Tells everyone who listens to `channel`, here and on other nodes, once the transaction is
    /// durable.
    ///
    /// Equal notices of one group of commits arrive once. Both strings together stay below
    /// `NoticeText.maximumLength` bytes.
    package func notify(_ channel: String, _ payload: String) {
        precondition(
            channel.utf8.count + payload.utf8.count < NoticeText.maximumLength,
            "a notice is too long to be carried"
        )
        notices.append(NoticeText(channel: channel, payload: payload))
    }

    @discardableResult
    package func execute(_ statement: Statement, values: [SQLValue]) throws -> Int {
        hasWritten = true
        return try reader.session.execute(statement, values)
    }

    package func submit(_ statement: Statement, values: [SQLValue]) throws {
        hasWritten = true
        try reader.session.submit(statement, values)
    }
}

// Reading, as `Reader` does.
extension Transaction {
    /// Gives `body` every row of the result; serves INSERT … RETURNING too.
    package func query(
        _ statement: Statement,
        _ values: any SQLConvertible...,
        body: (borrowing Row) throws -> Void
    ) throws {
        try query(statement, values: values.map(\.sqlValue), body: body)
    }

    /// The first row, converted by `body`; nil when there is none.
    package func first<Value>(
        _ statement: Statement,
        _ values: any SQLConvertible...,
        body: (borrowing Row) throws -> Value
    ) throws -> Value? {
        noteWrite(statement)
        return try reader.first(statement, values: values.map(\.sqlValue), body: body)
    }

    /// All rows, converted by `body`.
    package func all<Value>(
        _ statement: Statement,
        _ values: any SQLConvertible...,
        body: (borrowing Row) throws -> Value
    ) throws -> [Value] {
        noteWrite(statement)
        return try reader.all(statement, values: values.map(\.sqlValue), body: body)
    }

    package func query(
        _ statement: Statement,
        values: [SQLValue],
        body: (borrowing Row) throws -> Void
    ) throws {
        noteWrite(statement)
        try reader.query(statement, values: values, body: body)
    }

    private func noteWrite(_ statement: Statement) {
        if !statement.isSelect { hasWritten = true }
    }
}
