import Database
import TestRig
import Testing

@Suite("Notices")
struct NoticeTests {
    private struct Refused: Error {}

    @Test(arguments: TestEngine.allCases)
    func `listeners of the channel learn of what was committed`(_ engine: TestEngine) async throws {
        try await withDatabase(engine) { database in
            var notices = database.listen("mailbox").makeAsyncIterator()
            await #expect(throws: Refused.self) {
                try await database.write { tx in
                    try tx.execute(insertPair, 1, 1)
                    tx.notify("mailbox", "never")
                    throw Refused()
                }
            }
            try await database.write { tx in
                tx.notify("other", "7")
                tx.notify("mailbox", "1 2")
                tx.notify("mailbox", "1 2")
                tx.notify("mailbox", "3")
            }
            #expect(await notices.nextPayload() == "1 2")
            #expect(await notices.nextPayload() == "3")
        }
    }

    @Test
    func `another PostgreSQL node gets the text`() async throws {
        let temporary = try TemporaryDatabase(.postgreSQL)
        let one = try await Database.open(temporary.url, log: quiet)
        let two = try await Database.open(temporary.url, log: quiet)
        var notices = two.listen("mailbox").makeAsyncIterator()
        try await one.write { tx in tx.notify("mailbox", "5 é") }
        #expect(await notices.next() == .payload("5 é"))
        try await one.close()
        try await two.close()
    }

    @Test
    func `another SQLite process makes listeners ask again`() async throws {
        let temporary = try TemporaryDatabase(.sqlite)
        let one = try await Database.open(temporary.url, log: quiet)
        let two = try await Database.open(temporary.url, log: quiet)
        try await one.migrate("test", pairMigrations)
        var notices = two.listen("mailbox").makeAsyncIterator()
        try await one.write { tx in try tx.execute(insertPair, 1, 1) }
        #expect(await notices.next() == .missed)
        try await one.close()
        try await two.close()
    }
}

extension AsyncStream<Notice>.Iterator {
    /// The next text; what the engine says of itself is skipped.
    mutating func nextPayload() async -> String? {
        while let notice = await next() {
            if case .payload(let text) = notice { return text }
        }
        return nil
    }
}
