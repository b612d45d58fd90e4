import CPostgreSQL
import Synchronization

/// What a connection is for; it is what `pg_stat_activity` shows.
enum Purpose: String {
    case write, read, listen, migrate
}

/// Opens a connection; blocks for five seconds per host at most.
///
/// What stands before the URL are our defaults, which the URL may overrule; what stands after it
/// may not be changed.
func connect(to url: String, _ purpose: Purpose) throws(DatabaseError) -> OpaquePointer {
    let options: KeyValuePairs<String, String> = [
        "connect_timeout": "5",
        "tcp_user_timeout": "15000",
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "3",
        "target_session_attrs": "read-write",
        "dbname": url,
        "application_name": "relais \(purpose.rawValue)",
        "client_encoding": "UTF8",
    ]
    let connection = withCStrings(options.map(\.key)) { keys in
        withCStrings(options.map(\.value)) { values in PQconnectdbParams(keys, values, 1) }
    }
    guard let connection else { throw .unavailable("out of memory") }
    guard PQstatus(connection) == CONNECTION_OK else {
        let reason = lastError(connection)
        PQfinish(connection)
        throw .unavailable(reason)
    }
    return connection
}

/// Makes sure that a commit means what we promise, whatever the server's default is.
///
/// The lock timeout is a group's: well under the second after which the server looks for a
/// deadlock.
func prepareSession(_ connection: OpaquePointer) throws(DatabaseError) {
    let level = try value(connection, "SHOW synchronous_commit")
    if level == "off" || level == "local" {
        _ = try value(connection, "SET synchronous_commit = on")
    }
    _ = try value(connection, "SET jit = off; SET lock_timeout = '50ms'")
}

/// Runs `sql`, which may be several statements, outside pipeline mode; the first value, if any.
@discardableResult
func value(_ connection: OpaquePointer, _ sql: String) throws(DatabaseError) -> String {
    guard let result = PQexec(connection, sql) else { throw .unavailable(lastError(connection)) }
    defer { PQclear(result) }
    switch PQresultStatus(result) {
    case PGRES_TUPLES_OK:
        return PQntuples(result) > 0 ? String(cString: PQgetvalue(result, 0, 0)) : ""
    case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
        return ""
    default:
        throw DatabaseError(postgreSQL: result, connection)
    }
}

func lastError(_ connection: OpaquePointer) -> String {
    PQerrorMessage(connection).map { String(cString: $0).trimmingEnd } ?? "connection lost"
}

extension String {
    fileprivate var trimmingEnd: String {
        var text = self[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}

extension DatabaseError {
    init(postgreSQL result: OpaquePointer, _ connection: OpaquePointer) {
        let code = field(result, "C") ?? ""
        let reason = "\(field(result, "M") ?? lastError(connection)) (SQLSTATE \(code))"
        self =
            switch code {
            case "23505", "23P01": .constraint(.unique, reason)
            case "23502": .constraint(.notNull, reason)
            case "23503": .constraint(.foreignKey, reason)
            case "23514": .constraint(.check, reason)
            // Serialization failure, deadlock, lock not available.
            case "40001", "40P01", "55P03": .conflict(reason)
            default:
                switch code.prefix(2) {
                // No SQLSTATE means libpq itself; connection, resources, operator, system.
                case "", "08", "53", "57", "58": .unavailable(reason)
                // A read-only server: the cluster is changing its leader.
                case "25" where code == "25006": .unavailable(reason)
                default: .failed(reason)
                }
            }
    }
}

private func field(_ result: OpaquePointer, _ letter: Unicode.Scalar) -> String? {
    PQresultErrorField(result, Int32(letter.value)).map { String(cString: $0) }
}

/// Warnings of one connection's commits.
///
/// The server acknowledges a commit with a warning when the wait for its standby was cut short:
/// such a commit is not durable on both sites and must not be acknowledged. A mutex because libpq's
/// callback is C, though it runs on the connection's own thread.
final class CommitWarnings: Sendable {
    private let texts = Mutex<[String]>([])

    init(_ connection: OpaquePointer) {
        // The connection is closed before its session, which owns this object, lets go of it.
        _ = PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context, let result, field(result, "V") == "WARNING" else { return }
                let warnings = Unmanaged<CommitWarnings>.fromOpaque(context)
                    .takeUnretainedValue()
                warnings.texts.withLock { $0.append(field(result, "M") ?? "warning") }
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    func clear() { texts.withLock { $0 = [] } }

    var first: String? { texts.withLock { $0.first } }
}

/// Lends `strings` as C's null-terminated array of strings.
private func withCStrings<Result>(
    _ strings: [String],
    _ body: ([UnsafePointer<CChar>?]) -> Result
) -> Result {
    var bytes: [CChar] = []
    var offsets: [Int] = []
    for string in strings {
        offsets.append(bytes.count)
        bytes.append(contentsOf: string.utf8CString)
    }
    return bytes.withUnsafeBufferPointer { buffer in
        body(offsets.map { offset in buffer.baseAddress.map { $0 + offset } } + [nil])
    }
}
