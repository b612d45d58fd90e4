import Database
import Foundation
import TestRig
import Testing

@Suite("Closing")
struct CloseTests {
    /// A copy of the one file, without SQLite's log, is a whole backup after a clean stop.
    @Test
    func `after a close the file alone holds everything`() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let path = "\(folder)/whole.db"
        let database = try await Database.open("sqlite:\(path)", log: quiet)
        try await database.migrate("test", pairMigrations)
        try await database.write { tx in try tx.execute(insertPair, 1, 1) }
        try await database.close()
        let copy = "\(folder)/copy.db"
        try FileManager.default.copyItem(atPath: path, toPath: copy)

        let reopened = try await Database.open("sqlite:\(copy)", log: quiet)
        let keys = try await reopened.keys()
        #expect(keys == [1])
        try await reopened.close()
    }

    /// Others may have the file open, and a second close is none.
    @Test(arguments: TestEngine.allCases)
    func `a close beside another program, and a second one, do no harm`(
        engine: TestEngine
    ) async throws {
        let temporary = try TemporaryDatabase(engine)
        let one = try await Database.open(temporary.url, log: quiet)
        let two = try await Database.open(temporary.url, log: quiet)
        try await one.migrate("test", pairMigrations)
        try await one.write { tx in try tx.execute(insertPair, 1, 1) }
        try await one.close()
        try await one.close()
        let keys = try await two.keys()
        #expect(keys == [1])
        try await two.close()
        withExtendedLifetime(temporary) {}
    }
}
