import GRDB
import GRDBSQLite

/// One SQLite connection inside a call of GRDB's pool.
///
/// GRDB opens, pools and caches; rows and values go straight through SQLite's own calls, which is
/// half again as fast for a scan.
final class SQLiteSession: WriterSession {
    private let database: GRDB.Database
    private(set) var failure: DatabaseError?
    private(set) var isCommitUnknown = false
    let isLost = false

    init(_ database: GRDB.Database) {
        self.database = database
    }

    func query(
        _ statement: Statement,
        _ values: [SQLValue],
        fetch: Fetch,
        _ body: (borrowing Row) throws -> Void
    ) throws {
        // The statement object stands until the end: SQLite's pointer lives no longer than it.
        let prepared = try prepare(statement)
        try withExtendedLifetime(prepared) {
            let handle = prepared.sqliteStatement
            defer { release(handle) }
            try bind(values, to: handle)
            while true {
                switch sqlite3_step(handle) {
                case SQLITE_ROW: try body(Row(source: .sqlite(handle)))
                case SQLITE_DONE: return
                case let code: throw failed(code)
                }
            }
        }
    }

    func execute(_ statement: Statement, _ values: [SQLValue]) throws -> Int {
        try query(statement, values, fetch: .whole) { _ in }
        return Int(sqlite3_changes(database.sqliteConnection))
    }

    func submit(_ statement: Statement, _ values: [SQLValue]) throws {
        try query(statement, values, fetch: .whole) { _ in }
    }

    // MARK: Transactions

    func begin(_ patience: Patience) throws(DatabaseError) {
        failure = nil
        isCommitUnknown = false
        try run("BEGIN IMMEDIATE")
    }

    func savepoint() throws(DatabaseError) { try run("SAVEPOINT job") }

    func release() throws(DatabaseError) { try run("RELEASE job") }

    func rollBackToSavepoint() throws(DatabaseError) {
        failure = nil
        try run("ROLLBACK TO job")
        try run("RELEASE job")
    }

    func commit(with notices: [NoticeText]) throws(DatabaseError) {
        let code = step("COMMIT")
        guard code != SQLITE_DONE else { return }
        let error = DatabaseError(sqlite: code, database.sqliteConnection)
        switch code & 0xFF {
        case SQLITE_CONSTRAINT, SQLITE_BUSY:
            // A deferred constraint, or a reader in the way: refused as a whole, still undone.
            throw error
        default:
            // The flush failed: what the disk holds is not known until it is read again.
            isCommitUnknown = true
            rollBack()
            throw .unavailable("commit failed: \(error)")
        }
    }

    func rollBack() {
        failure = nil
        guard sqlite3_get_autocommit(database.sqliteConnection) == 0 else { return }
        _ = step("ROLLBACK")
    }

    // MARK: Statements

    private func prepare(_ statement: Statement) throws -> GRDB.Statement {
        if let failure { throw failure }
        do {
            guard statement.isKept else {
                return try database.makeStatement(sql: statement.sqlite)
            }
            let kept = try database.cachedStatement(sql: statement.sqlite)
            // A nested use of a statement that is still giving rows needs one of its own.
            guard sqlite3_stmt_busy(kept.sqliteStatement) != 0 else { return kept }
            return try database.makeStatement(sql: statement.sqlite)
        } catch {
            let cause = DatabaseError.failed("\(error)")
            failure = cause
            throw cause
        }
    }

    private func release(_ handle: OpaquePointer) {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    private func bind(_ values: [SQLValue], to handle: OpaquePointer) throws {
        precondition(
            Int(sqlite3_bind_parameter_count(handle)) == values.count,
            "a statement got \(values.count) values"
        )
        for (index, value) in values.enumerated() {
            let position = Int32(index + 1)
            let code =
                switch value {
                case .null: sqlite3_bind_null(handle, position)
                case .integer(let number): sqlite3_bind_int64(handle, position, number)
                case .text(let text): try bind(text, at: position, to: handle)
                case .blob(let bytes): bind(bytes, at: position, to: handle)
                }
            if code != SQLITE_OK { throw failed(code) }
        }
    }

    private func bind(_ text: String, at position: Int32, to handle: OpaquePointer) throws -> Int32
    {
        var text = text
        return try text.withUTF8 { bytes in
            guard !bytes.contains(0) else {
                let cause = DatabaseError.failed("text holds U+0000")
                failure = cause
                throw cause
            }
            return bytes.withMemoryRebound(to: CChar.self) { characters in
                guard let start = characters.baseAddress else {
                    return sqlite3_bind_text(handle, position, "", 0, Self.copy)
                }
                return sqlite3_bind_text(
                    handle,
                    position,
                    start,
                    Int32(characters.count),
                    Self.copy
                )
            }
        }
    }

    private func bind(
        _ bytes: ArraySlice<UInt8>,
        at position: Int32,
        to handle: OpaquePointer
    ) -> Int32 {
        bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, !bytes.isEmpty else {
                return sqlite3_bind_zeroblob(handle, position, 0)
            }
            return sqlite3_bind_blob64(
                handle,
                position,
                start,
                sqlite3_uint64(bytes.count),
                Self.copy
            )
        }
    }

    /// `SQLITE_TRANSIENT`, a macro that Swift cannot import: SQLite copies what is bound.
    private static let copy = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    private func failed(_ code: Int32) -> DatabaseError {
        let error = DatabaseError(sqlite: code, database.sqliteConnection)
        failure = error
        return error
    }

    private func run(_ sql: String) throws(DatabaseError) {
        let code = step(sql)
        if code != SQLITE_DONE { throw DatabaseError(sqlite: code, database.sqliteConnection) }
    }

    private func step(_ sql: String) -> Int32 {
        do {
            let prepared = try database.cachedStatement(sql: sql)
            return withExtendedLifetime(prepared) {
                let code = sqlite3_step(prepared.sqliteStatement)
                sqlite3_reset(prepared.sqliteStatement)
                return code
            }
        } catch {
            return (error as? GRDB.DatabaseError)?.resultCode.rawValue ?? SQLITE_ERROR
        }
    }
}

extension DatabaseError {
    init(sqlite code: Int32, _ connection: OpaquePointer?) {
        let extended = connection.map(sqlite3_extended_errcode) ?? code
        let text = connection.flatMap(sqlite3_errmsg).map { String(cString: $0) } ?? ""
        let reason = "\(text) (SQLite \(extended))"
        self =
            switch code & 0xFF {
            case SQLITE_CONSTRAINT:
                switch extended {
                case constraintNotNull: .constraint(.notNull, reason)
                case constraintForeignKey: .constraint(.foreignKey, reason)
                case constraintCheck: .constraint(.check, reason)
                default: .constraint(.unique, reason)
                }
            case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL, SQLITE_IOERR, SQLITE_NOMEM,
                SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_INTERRUPT:
                .unavailable(reason)
            default: .failed(reason)
            }
    }
}

// Extended codes are macros over macros, which Swift does not import.
private let constraintCheck = SQLITE_CONSTRAINT | 1 << 8
private let constraintForeignKey = SQLITE_CONSTRAINT | 3 << 8
private let constraintNotNull = SQLITE_CONSTRAINT | 5 << 8
