import CPostgreSQL
import Logging

/// The types that travel to and from PostgreSQL, by their object identifiers.
enum PostgreSQLType {
    static let blob: Oid = 17
    static let integer: Oid = 20
    static let text: Oid = 25
    static let numeric: Oid = 1_700
}

/// One PostgreSQL connection, in pipeline mode throughout.
///
/// A statement is sent without waiting; answers are read when a result is wanted, at a savepoint
/// and at the commit. After an error the server skips everything up to the next Sync, so errors are
/// put right in `rollBack` and `rollBackToSavepoint` only.
final class PostgreSQLSession: WriterSession {
    private enum Expected {
        case statement
        case preparation(Preparation)
    }

    private struct Preparation: Hashable {
        let sql: String
        let types: [Oid]
    }

    private let connection: OpaquePointer
    private let warnings: CommitWarnings
    private var prepared: [Preparation: String] = [:]
    private var preparedCount = 0
    private var expected: [Expected] = []
    private var message = Message()
    private(set) var failure: DatabaseError?
    private(set) var isLost = false
    private(set) var isCommitUnknown = false
    private var isEndingReading = false

    /// Answers left unread before they are collected, so that neither side's buffers fill up.
    private static let unreadLimit = 512

    /// Prepared statements kept on one connection; a program has a few hundred.
    private static let preparedLimit = 4_000

    init(url: String, purpose: Purpose) throws(DatabaseError) {
        let connection = try connect(to: url, purpose)
        do throws(DatabaseError) {
            try prepareSession(connection)
            guard PQenterPipelineMode(connection) == 1 else {
                throw .unavailable(lastError(connection))
            }
        } catch {
            PQfinish(connection)
            throw error
        }
        self.connection = connection
        warnings = CommitWarnings(connection)
    }

    deinit {
        PQfinish(connection)
    }

    /// The server process behind this connection, as NOTIFY tells it.
    var processID: Int32 { PQbackendPID(connection) }

    // MARK: Statements

    func query(
        _ statement: Statement,
        _ values: [SQLValue],
        fetch: Fetch,
        _ body: (borrowing Row) throws -> Void
    ) throws {
        try send(statement, values)
        guard PQsendFlushRequest(connection) == 1 else { throw lost() }
        try collect(leaving: 1)
        if fetch == .rowByRow { PQsetSingleRowMode(connection) }
        expected.removeAll(keepingCapacity: true)
        var results: [OpaquePointer] = []
        defer { for result in results { PQclear(result) } }
        var bodyError: (any Error)?
        while let result = PQgetResult(connection) {
            if fetch == .rowByRow {
                defer { PQclear(result) }
                note(result, of: .statement)
                do { if bodyError == nil { try Self.give(result, to: body) } } catch {
                    bodyError = error
                }
            } else {
                results.append(result)
                note(result, of: .statement)
            }
            if isLost { break }
        }
        if let failure { throw failure }
        if let bodyError { throw bodyError }
        for result in results { try Self.give(result, to: body) }
    }

    func execute(_ statement: Statement, _ values: [SQLValue]) throws -> Int {
        try send(statement, values)
        guard PQsendFlushRequest(connection) == 1 else { throw lost() }
        try collect(leaving: 1)
        expected.removeAll(keepingCapacity: true)
        var changed = 0
        while let result = PQgetResult(connection) {
            defer { PQclear(result) }
            note(result, of: .statement)
            if let count = PQcmdTuples(result) { changed = Int(String(cString: count)) ?? 0 }
            if isLost { break }
        }
        if let failure { throw failure }
        return changed
    }

    func submit(_ statement: Statement, _ values: [SQLValue]) throws {
        try send(statement, values)
        guard expected.count >= Self.unreadLimit else { return }
        guard PQsendFlushRequest(connection) == 1 else { throw lost() }
        try collect(leaving: 0)
    }

    // MARK: Transactions

    private static let beginWriting: Statement = "BEGIN"
    private static let beginReading: Statement = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    private static let waitLonger: Statement = "SET LOCAL lock_timeout = '5s'"
    private static let commit: Statement = "COMMIT"
    private static let rollBack: Statement = "ROLLBACK"
    private static let savepoint: Statement = "SAVEPOINT job"
    private static let release: Statement = "RELEASE SAVEPOINT job"
    private static let undo: Statement = "ROLLBACK TO SAVEPOINT job"
    private static let notify: Statement = "SELECT pg_notify($1, $2)"

    func begin(_ patience: Patience) throws(DatabaseError) {
        failure = nil
        isCommitUnknown = false
        try control(Self.beginWriting)
        if patience == .alone { try control(Self.waitLonger) }
    }

    func beginReading() throws(DatabaseError) {
        failure = nil
        if isEndingReading {
            isEndingReading = false
            try collectUpToSync()
            if failure != nil { throw lost() }
        }
        try control(Self.beginReading)
    }

    /// Ends a read whose results have all arrived.
    ///
    /// Nothing can be lost any more, so the answer is left for the next use of the connection: a
    /// read costs one round trip.
    func endReading() throws(DatabaseError) {
        try control(Self.commit)
        guard PQpipelineSync(connection) == 1, PQflush(connection) == 0 else { throw lost() }
        isEndingReading = true
    }

    func savepoint() throws(DatabaseError) { try control(Self.savepoint) }

    func release() throws(DatabaseError) {
        try control(Self.release)
        guard PQsendFlushRequest(connection) == 1 else { throw lost() }
        try collect(leaving: 0)
        if let failure { throw failure }
    }

    func rollBackToSavepoint() throws(DatabaseError) {
        try synchronize()
        failure = nil
        try control(Self.undo)
        try control(Self.release)
    }

    func commit(with notices: [NoticeText]) throws(DatabaseError) {
        for notice in notices {
            try send(
                Self.notify,
                [
                    .text(PostgreSQLListener.channel),
                    .text(PostgreSQLListener.encode(notice)),
                ]
            )
        }
        // From here on the server may commit even if we never hear of it.
        warnings.clear()
        try control(Self.commit)
        isCommitUnknown = true
        try synchronize(last: "COMMIT")
        isCommitUnknown = false
        if let failure { throw failure }
        if let warning = warnings.first {
            // Committed here, but the standby has not confirmed it: not durable as promised.
            isCommitUnknown = true
            throw .unavailable("commit not confirmed: \(warning)")
        }
    }

    func rollBack() {
        guard !isLost else { return }
        do throws(DatabaseError) {
            try synchronize()
            failure = nil
            if PQtransactionStatus(connection) != PQTRANS_IDLE {
                try control(Self.rollBack)
                try synchronize()
            }
            failure = nil
        } catch {
            isLost = true
        }
    }

    // MARK: The pipeline

    private func control(_ statement: Statement) throws(DatabaseError) {
        try send(statement, [])
    }

    private func send(_ statement: Statement, _ values: [SQLValue]) throws(DatabaseError) {
        if let failure { throw failure }
        if isLost { throw .unavailable("connection lost") }
        do {
            try message.encode(values)
        } catch {
            failure = error
            throw error
        }
        let sent: Int32
        if statement.isKept, let name = try prepare(statement.postgreSQL) {
            sent = message.withParameters { count, values, lengths, formats in
                PQsendQueryPrepared(connection, name, count, values, lengths, formats, 1)
            }
        } else {
            let types = message.types
            sent = message.withParameters { count, values, lengths, formats in
                PQsendQueryParams(
                    connection,
                    statement.postgreSQL,
                    count,
                    types,
                    values,
                    lengths,
                    formats,
                    1
                )
            }
        }
        guard sent == 1 else { throw lost() }
        expected.append(.statement)
    }

    /// The name under which `sql` is prepared for the types of the message at hand; nil when the
    /// connection keeps too many already.
    private func prepare(_ sql: String) throws(DatabaseError) -> String? {
        let preparation = Preparation(sql: sql, types: message.types)
        if let name = prepared[preparation] { return name }
        guard prepared.count < Self.preparedLimit else { return nil }
        preparedCount += 1
        let name = "s\(preparedCount)"
        guard
            PQsendPrepare(connection, name, sql, Int32(message.types.count), message.types) == 1
        else { throw lost() }
        prepared[preparation] = name
        expected.append(.preparation(preparation))
        return name
    }

    /// Reads the answers to all but the last `rest` messages; the first error becomes `failure`.
    private func collect(leaving rest: Int) throws(DatabaseError) {
        let count = expected.count - rest
        for index in 0..<count {
            while let result = PQgetResult(connection) {
                defer { PQclear(result) }
                note(result, of: expected[index])
                if isLost { throw failure ?? .unavailable("connection lost") }
            }
            if PQstatus(connection) == CONNECTION_BAD { throw lost() }
        }
        expected.removeFirst(count)
    }

    /// Sends Sync and reads up to its answer, so that the connection takes statements again.
    private func synchronize(last tag: String? = nil) throws(DatabaseError) {
        if isLost { throw failure ?? .unavailable("connection lost") }
        guard PQpipelineSync(connection) == 1 else { throw lost() }
        try collectUpToSync(last: tag)
    }

    private func collectUpToSync(last tag: String? = nil) throws(DatabaseError) {
        var index = 0
        while true {
            guard let result = PQgetResult(connection) else {
                // The end of one message's answers.
                index += 1
                if PQstatus(connection) == CONNECTION_BAD || index > expected.count + 1 {
                    throw lost()
                }
                continue
            }
            defer { PQclear(result) }
            if PQresultStatus(result) == PGRES_PIPELINE_SYNC { break }
            let message = index < expected.count ? expected[index] : .statement
            note(result, of: message)
            if isLost { throw failure ?? .unavailable("connection lost") }
            if let tag, index == expected.count - 1, failure == nil,
                String(cString: PQcmdStatus(result)) != tag
            {
                failure = .failed(
                    "the transaction ended as \(String(cString: PQcmdStatus(result)))"
                )
            }
        }
        expected.removeAll(keepingCapacity: true)
    }

    /// Records what a result says about success.
    private func note(_ result: OpaquePointer, of message: Expected) {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE, PGRES_EMPTY_QUERY: return
        case PGRES_PIPELINE_ABORTED:
            // Skipped because of an earlier error, which is the one to tell.
            break
        default:
            let error = DatabaseError(postgreSQL: result, connection)
            if failure == nil { failure = error }
            if PQstatus(connection) == CONNECTION_BAD {
                isLost = true
                failure = .unavailable(lastError(connection))
            }
        }
        if case .preparation(let preparation) = message { prepared[preparation] = nil }
    }

    private func lost() -> DatabaseError {
        isLost = true
        let error = DatabaseError.unavailable(lastError(connection))
        failure = error
        return error
    }

    private static func give(
        _ result: OpaquePointer,
        to body: (borrowing Row) throws -> Void
    ) throws {
        for row in 0..<PQntuples(result) {
            try body(Row(source: .postgreSQL(result, row)))
        }
    }
}
