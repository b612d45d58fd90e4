import CPostgreSQL

extension PostgreSQLEngine {
    /// Any number will do, as long as every version of the program uses the same.
    private static let lockKey = 7_262_193_011

    func migrate(_ plan: MigrationPlan) async throws {
        let url = url
        try await threads.once("postgresql-migrate") {
            let connection = try connect(to: url, .migrate)
            defer { PQfinish(connection) }
            try prepareSession(connection)
            try value(connection, "SET client_min_messages = warning; SET lock_timeout = 0")
            while try Self.step(plan, connection) {}
        }
    }

    /// Applies the next step in a transaction of its own; false when there was none.
    private static func step(
        _ plan: MigrationPlan,
        _ connection: OpaquePointer
    ) throws(DatabaseError) -> Bool {
        try value(connection, "BEGIN")
        do throws(DatabaseError) {
            try value(connection, "SELECT pg_advisory_xact_lock(\(lockKey))")
            try value(connection, MigrationPlan.createTable)
            let applied = try names(connection, plan.service)
            guard let next = try plan.next(after: applied) else {
                try value(connection, "COMMIT")
                return false
            }
            try value(connection, next.postgreSQL)
            try value(
                connection,
                """
                INSERT INTO migration (service, position, name)
                VALUES (\(literal(plan.service)), \(applied.count), \(literal(next.name)))
                """
            )
            try value(connection, "COMMIT")
            return true
        } catch {
            do { try value(connection, "ROLLBACK") } catch {}
            throw error
        }
    }

    private static func names(
        _ connection: OpaquePointer,
        _ service: String
    ) throws(DatabaseError) -> [String] {
        let sql =
            "SELECT name FROM migration WHERE service = \(literal(service)) ORDER BY position"
        guard let result = PQexec(connection, sql) else {
            throw .unavailable(lastError(connection))
        }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK else {
            throw DatabaseError(postgreSQL: result, connection)
        }
        return (0..<PQntuples(result)).map { String(cString: PQgetvalue(result, $0, 0)) }
    }

    /// A constant of our own program as an SQL literal.
    private static func literal(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
            + "'"
    }
}
