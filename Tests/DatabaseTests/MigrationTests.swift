import Database
import TestRig
import Testing

@Suite("Migrations")
struct MigrationTests {
    @Test(arguments: TestEngine.allCases)
    func `a step runs once, and new steps are added`(_ engine: TestEngine) async throws {
        try await withDatabase(engine) { database in
            try await database.write { tx in try tx.execute(insertPair, 1, 1) }
            try await database.migrate("test", pairMigrations)
            try await database.migrate(
                "test",
                pairMigrations + [Migration("more", "ALTER TABLE pair ADD COLUMN more BIGINT")]
            )
            let keys = try await database.keys()
            #expect(keys == [1])
            try await database.write { tx in try tx.execute("UPDATE pair SET more = 1") }
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a database of a newer program is refused`(_ engine: TestEngine) async throws {
        try await withDatabase(engine) { database in
            for known in [[], [Migration("renamed", "SELECT 1")]] {
                await #expect(throws: DatabaseError.newerProgram(service: "test")) {
                    try await database.migrate("test", known)
                }
            }
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a step that fails half-way leaves nothing`(_ engine: TestEngine) async throws {
        try await withDatabase(engine) { database in
            await #expect(throws: DatabaseError.self) {
                try await database.migrate(
                    "it's new",
                    [Migration("broken", "CREATE TABLE half (id BIGINT); SELECT nonsense;")]
                )
            }
            try await database.migrate(
                "it's new",
                [Migration("mended", "CREATE TABLE half (id BIGINT);")]
            )
            try await database.migrate(
                "it's new",
                [Migration("mended", "CREATE TABLE half (id BIGINT);")]
            )
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `nodes that start together apply each step once`(_ engine: TestEngine) async throws {
        let temporary = try TemporaryDatabase(engine)
        let steps = (0..<5).map { Migration("step \($0)", "CREATE TABLE t\($0) (id BIGINT)") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let database = try await Database.open(temporary.url, log: quiet)
                    try await database.migrate("test", steps)
                    try await database.close()
                }
            }
            try await group.waitForAll()
        }
        withExtendedLifetime(temporary) {}
    }
}
