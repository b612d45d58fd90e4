import Database
import Logging
import TestRig

/// A database for one test, with a table of pairs.
func withDatabase(
    _ engine: TestEngine,
    settings: Database.Settings = Database.Settings(),
    _ body: (Database) async throws -> Void
) async throws {
    let temporary = try TemporaryDatabase(engine)
    let database = try await Database.open(temporary.url, settings: settings, log: quiet)
    try await database.migrate("test", pairMigrations)
    do {
        try await body(database)
    } catch {
        try await database.close()
        throw error
    }
    try await database.close()
    withExtendedLifetime(temporary) {}
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

let pairMigrations = [
    Migration(
        "pairs",
        """
        CREATE TABLE pair (key BIGINT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);
        CREATE TABLE parent (id BIGINT NOT NULL PRIMARY KEY);
        CREATE TABLE child (
            id BIGINT NOT NULL PRIMARY KEY,
            parent BIGINT NOT NULL REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED,
            size BIGINT NOT NULL CHECK (size >= 0)
        );
        CREATE TABLE sample (
            id {id}, number BIGINT, text TEXT, bytes {blob}
        );
        """
    )
]

let insertPair: Statement = "INSERT INTO pair (key, value) VALUES ($1, $2)"
let increment: Statement = "UPDATE pair SET value = value + 1 WHERE key = $1"
let pairCount: Statement = "SELECT count(*) FROM pair"
let pairKeys: Statement = "SELECT key FROM pair ORDER BY key"
let pairValue: Statement = "SELECT value FROM pair WHERE key = $1"

extension Database {
    func keys() async throws -> [Int64] {
        try await read { reader in try reader.all(pairKeys) { $0.int(0) } }
    }

    func value(of key: Int64) async throws -> Int64? {
        try await read { reader in try reader.first(pairValue, key) { $0.int(0) } }
    }
}
