import Database
import Directory
import Mail
import SASL
import TestRig
import Testing

@Suite("Authentication")
struct AuthenticationTests {
    @Test(arguments: TestEngine.allCases)
    func `login or address with the right password is accepted`(
        _ engine: TestEngine
    ) async throws {
        try await withDirectory(engine) { directory, _, _ in
            try await directory.addAccount(newAccount("anne", password: "pässword"))
            try await directory.addAccount(newAccount("robot", password: nil))
            let attempts: [(String, String, Bool)] = [
                ("anne", "pässword", true), ("ANNE", "pässword", true),
                ("Anne@Example.org", "pässword", true), ("anne", "PÄSSWORD", false),
                ("anne", "", false), ("anne", "pässword\0", false), ("robot", "", false),
                ("robot", "pässword", false), ("nobody", "pässword", false),
                ("anne+x@example.org", "pässword", false),
                (String(repeating: "a", count: 1_000_000), "x", false), ("", "", false),
            ]
            // Twice: derived, then recognised.
            for _ in 0..<2 {
                for (login, password, isRight) in attempts {
                    let found = try await directory.isAccepted(login, password)
                    #expect(found == isRight, "\(login.prefix(20)) \(password)")
                }
            }
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a new password replaces the old one at once`(_ engine: TestEngine) async throws {
        try await withDirectory(engine) { directory, _, _ in
            try await directory.addAccount(newAccount("anne", password: "old"))
            #expect(try await directory.isAccepted("anne", "old"))
            try await directory.setPassword("new", of: "anne")
            #expect(try await directory.isAccepted("anne", "old") == false)
            #expect(try await directory.isAccepted("anne", "new"))
            let known = try await directory.credential(login: "anne@example.org")
            #expect(known?.credential.verify(password: "new") == true)
            #expect(known?.account.login == "anne")
            #expect(try await directory.credential(login: "nobody") == nil)
        }
    }

    /// What an attacker measures: none of these may be told from the others.
    @Test
    func `an unknown login costs as much as a wrong password`() async throws {
        try await withDirectory(.sqlite) { directory, _, _ in
            try await directory.addAccount(newAccount("anne"))
            try await directory.addAccount(newAccount("robot", password: nil))
            var least: [String: Duration] = [:]
            for turn in 0..<15 {
                for login in ["anne", "robot", "nobody", "nobody@elsewhere.example"] {
                    let start = ContinuousClock.now
                    _ = try await directory.isAccepted(login, "wrong \(turn)")
                    least[login] = min(least[login] ?? .seconds(9), ContinuousClock.now - start)
                }
            }
            let known = try #require(least["anne"])
            for (login, duration) in least {
                #expect(duration > known / 2 && duration < known * 2, "\(login)")
            }
        }
    }

    @Test
    func `a password verified lately is recognised without deriving it`() async throws {
        try await withDirectory(.sqlite) { directory, clock, _ in
            try await directory.addAccount(newAccount("anne"))
            func time(_ turns: Int) async throws -> Duration {
                var least = Duration.seconds(9)
                for _ in 0..<turns {
                    let start = ContinuousClock.now
                    #expect(try await directory.isAccepted("anne", "secret"))
                    least = min(least, ContinuousClock.now - start)
                }
                return least
            }
            let derived = try await time(1)
            let recognised = try await time(20)
            #expect(recognised < derived / 4)
            clock.advance(milliseconds: 600_001)
            let again = try await time(1)
            #expect(again > recognised * 4)
        }
    }

    @Test
    func `the decoy secret outlives the process`() async throws {
        try await withDirectory(.sqlite) { directory, clock, database in
            let again = try await openDirectory(on: database, clock)
            #expect(again.decoySecret == directory.decoySecret)
            #expect(directory.decoySecret.count == 32)
        }
    }
}
