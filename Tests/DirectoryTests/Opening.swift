import Database
import Directory
import Logging
import Mail
import Synchronization
import TestRig
import Testing

/// A directory of the domains example.org and example.net on a new database.
func withDirectory(
    _ engine: TestEngine,
    _ body: (Directory, TestClock, Database) async throws -> Void
) async throws {
    let temporary = try TemporaryDatabase(engine)
    let database = try await Database.open(temporary.url, log: quiet)
    let clock = TestClock()
    let directory = try await openDirectory(on: database, clock)
    do {
        try await body(directory, clock, database)
    } catch {
        try await database.close()
        throw error
    }
    try await database.close()
    withExtendedLifetime(temporary) {}
}

func openDirectory(on database: Database, _ clock: TestClock) async throws -> Directory {
    try await Directory.open(
        on: database,
        settings: Directory.Settings(
            domains: ["example.org", "example.net"],
            postmaster: EmailAddress(localPart: "anne", domain: "example.org")
        ),
        clock: { clock.now },
        random: { count in
            var generator = SystemRandomNumberGenerator()
            return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        }
    )
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A clock that stands until it is moved.
final class TestClock: Sendable {
    private let milliseconds = Atomic<Int64>(1_700_000_000_000)

    var now: Int64 { milliseconds.load(ordering: .relaxed) }

    func advance(milliseconds count: Int64) {
        milliseconds.wrappingAdd(count, ordering: .relaxed)
    }
}

func address(_ text: String) throws -> EmailAddress {
    let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
    return try #require(EmailAddress(localPart: parts[0], domain: parts[1]))
}

func newAccount(_ login: String, password: String? = "secret") throws -> NewAccount {
    var account = NewAccount(login: login, address: try address("\(login)@example.org"))
    account.password = password
    return account
}

extension Directory {
    /// The login a route leads to, with the detail after `+`; or the other cases by name.
    func destination(of text: String) async throws -> String {
        switch try await route(to: address(text)) {
        case .account(let account, let detail): "\(account.login)\(detail.map { " +\($0)" } ?? "")"
        case .relay: "relay"
        case .unknown: "unknown"
        }
    }

    func isAccepted(_ login: String, _ password: String) async throws -> Bool {
        if case .accepted = try await authenticate(login: login, password: password) {
            true
        } else {
            false
        }
    }
}
