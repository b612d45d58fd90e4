/// Reads inside one transaction: every statement sees the same state of the database.
///
/// Inside `Database.read` that is the last committed state when the first statement runs; inside
/// `Database.write` it includes what the transaction has written.
package final class Reader {
    let session: any Session

    init(_ session: any Session) {
        self.session = session
    }

    /// Gives `body` every row of the result; it may run other statements meanwhile.
    ///
    /// On PostgreSQL the whole result stands in memory; for many rows use `scan`.
    package func query(
        _ statement: Statement,
        _ values: any SQLConvertible...,
        body: (borrowing Row) throws -> Void
    ) throws {
        try session.query(statement, values.map(\.sqlValue), fetch: .whole, body)
    }

    /// Gives `body` every row of a result of any size in bounded memory.
    ///
    /// `body` may not run other statements.
    package func scan(
        _ statement: Statement,
        _ values: any SQLConvertible...,
        body: (borrowing Row) throws -> Void
    ) throws {
        try session.query(statement, values.map(\.sqlValue), fetch: .rowByRow, body)
    }

    /// The first row, converted by `body`; nil when there is none.
    package func first<Value>(
        _ statement: Statement,
        _ values: any SQLConvertible...,
        body: (borrowing Row) throws -> Value
    ) throws -> Value? {
        try first(statement, values: values.map(\.sqlValue), body: body)
    }

    /// All rows, converted by `body`.
    package func all<Value>(
        _ statement: Statement,
        _ values: any SQLConvertible...,
        body: (borrowing Row) throws -> Value
    ) throws -> [Value] {
        try all(statement, values: values.map(\.sqlValue), body: body)
    }
}

// The same with a list of values made at run time.
extension Reader {
    package func query(
        _ statement: Statement,
        values: [SQLValue],
        body: (borrowing Row) throws -> Void
    ) throws {
        try session.query(statement, values, fetch: .whole, body)
    }

    package func scan(
        _ statement: Statement,
        values: [SQLValue],
        body: (borrowing Row) throws -> Void
    ) throws {
        try session.query(statement, values, fetch: .rowByRow, body)
    }

    package func first<Value>(
        _ statement: Statement,
        values: [SQLValue],
        body: (borrowing Row) throws -> Value
    ) throws -> Value? {
        var found: Value?
        try session.query(statement, values, fetch: .whole) { row in
            if found == nil { found = try body(row) }
        }
        return found
    }

    package func all<Value>(
        _ statement: Statement,
        values: [SQLValue],
        body: (borrowing Row) throws -> Value
    ) throws -> [Value] {
        var found: [Value] = []
        try session.query(statement, values, fetch: .whole) { row in
            found.append(try body(row))
        }
        return found
    }
}
