import Database
import Directory
import Mail
import TestRig
import Testing

@Suite("Routes")
struct RoutingTests {
    @Test(arguments: TestEngine.allCases)
    func `an address leads to its account, another domain, or nobody`(
        _ engine: TestEngine
    ) async throws {
        try await withDirectory(engine) { directory, _, _ in
            try await directory.addAccount(newAccount("anne"))
            try await directory.addAccount(newAccount("benoit"))
            try await directory.addAlias(address("Info+Desk@example.net"), to: "benoit")
            try await directory.addAlias(address("abuse@example.net"), to: "benoit")
            let expected = [
                "anne@example.org": "anne",
                "ANNE@Example.ORG": "anne",
                "anne@example.net": "unknown",
                "anne+Lists.swift@example.org": "anne +Lists.swift",
                "anne+a+b@example.org": "anne +a+b",
                "anne+@example.org": "anne +",
                "+anne@example.org": "unknown",
                "info+desk@example.net": "benoit",
                "info@example.net": "unknown",
                "info+desk+x@example.net": "unknown",
                // RFC 5321 §4.5.1: postmaster is always there.
                "Postmaster@example.net": "anne",
                "abuse@example.org": "anne",
                "abuse@example.net": "benoit",
                "nobody@example.org": "unknown",
                "nobody@elsewhere.example": "relay",
            ]
            // Twice: from the database, then from the cache.
            for _ in 0..<2 {
                for (text, destination) in expected {
                    let found = try await directory.destination(of: text)
                    #expect(found == destination, "\(text)")
                }
            }
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `only the owner may write an address as its own`(_ engine: TestEngine) async throws {
        try await withDirectory(engine) { directory, _, _ in
            let anne = try await directory.addAccount(newAccount("anne")).id
            let benoit = try await directory.addAccount(newAccount("benoit")).id
            try await directory.addAlias(address("info@example.net"), to: "benoit")
            let expected: [(AccountID, String, Bool)] = [
                (anne, "Anne@example.org", true),
                (anne, "anne+tag@example.org", true),
                (anne, "postmaster@example.net", true),
                (anne, "info@example.net", false),
                (benoit, "info@example.net", true),
                (benoit, "anne@example.org", false),
                (benoit, "anybody@elsewhere.example", false),
                (benoit, "nobody@example.org", false),
            ]
            for (account, text, isAllowed) in expected {
                let found = try await directory.mayUse(account, as: address(text))
                #expect(found == isAllowed, "\(text)")
            }
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `what another process changes is seen at once`(_ engine: TestEngine) async throws {
        let temporary = try TemporaryDatabase(engine)
        let here = try await Database.open(temporary.url, log: quiet)
        let there = try await Database.open(temporary.url, log: quiet)
        let clock = TestClock()
        let server = try await openDirectory(on: here, clock)
        let commandLine = try await openDirectory(on: there, clock)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await server.followChanges() }
            // Both ways: an account that comes and one that goes; the clock stands still.
            for (isThere, expected) in [(true, "chloe"), (false, "unknown")] {
                if isThere {
                    try await commandLine.addAccount(newAccount("chloe"))
                } else {
                    _ = try await commandLine.deleteAccount("chloe")
                }
                let deadline = ContinuousClock.now + .seconds(5)
                while try await server.destination(of: "chloe@example.org") != expected,
                    ContinuousClock.now < deadline
                {
                    try await Task.sleep(for: .milliseconds(5))
                }
                let found = try await server.destination(of: "chloe@example.org")
                #expect(found == expected)
            }
            group.cancelAll()
        }
        try await here.close()
        try await there.close()
        withExtendedLifetime(temporary) {}
    }

    @Test
    func `an answer is believed for its lifetime and no longer`() async throws {
        try await withDirectory(.sqlite) { directory, clock, database in
            try await directory.addAccount(newAccount("anne"))
            let first = try await directory.destination(of: "anne@example.org")
            // Behind the directory's back, and without a notice.
            try await database.write { tx in try tx.execute("DELETE FROM address") }
            let cached = try await directory.destination(of: "anne@example.org")
            clock.advance(milliseconds: 30_001)
            let fresh = try await directory.destination(of: "anne@example.org")
            #expect([first, cached, fresh] == ["anne", "anne", "unknown"])
        }
    }

    @Test
    func `a lookup that misses the tables says unavailable, not unknown`() async throws {
        try await withDirectory(.sqlite) { directory, _, database in
            try await database.close()
            await #expect(throws: DirectoryError.self) {
                try await directory.destination(of: "anne@example.org")
            }
        }
    }
}
