package import Database
package import Mail
import SASL
import Crypto
import Net

/// Who exists, who may, and who authenticates.
///
/// This source is its own tables. Answers are cached; a change by any process clears the cache
/// through the database's notice, and the lifetime of an answer is the limit when notices are lost.
package final class Directory: Sendable {
    let database: Database
    let settings: Settings
    let clock: @Sendable () -> Int64
    let random: @Sendable (Int) -> [UInt8]

    let entries: ExpiringCache<String, Entry?>
    let verified: ExpiringCache<[UInt8], Bool>
    let verifiedKey: SymmetricKey

    /// From what the SCRAM parameters of logins that do not exist are derived.
    package let decoySecret: [UInt8]

    /// What the directory is told by the configuration.
    package struct Settings: Sendable {
        /// In lower case.
        package var domains: Set<String>
        /// Receives the mail for `postmaster` and `abuse` of every domain.
        package var postmaster: EmailAddress?
        /// Answers kept.
        package var cacheCapacity = 200_000
        /// How long an answer is believed without asking again.
        package var cacheMilliseconds: Int64 = 30_000
        /// How long a verified password is believed without deriving it again.
        package var verifiedMilliseconds: Int64 = 600_000

        package init(domains: Set<String>, postmaster: EmailAddress?) {
            self.domains = domains
            self.postmaster = postmaster
        }
    }

    /// An account and what verifies its password.
    struct Entry: Sendable {
        let account: Account
        let credential: SCRAMCredential?
    }

    static let channel = "directory"

    private init(
        _ database: Database,
        _ settings: Settings,
        decoySecret: [UInt8],
        clock: @escaping @Sendable () -> Int64,
        random: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.database = database
        self.settings = settings
        self.decoySecret = decoySecret
        self.clock = clock
        self.random = random
        entries = ExpiringCache(
            capacity: settings.cacheCapacity,
            lifetime: settings.cacheMilliseconds
        )
        verified = ExpiringCache(
            capacity: settings.cacheCapacity,
            lifetime: settings.verifiedMilliseconds
        )
        verifiedKey = SymmetricKey(data: random(32))
    }

    /// Brings the tables up to date and opens the directory on `database`.
    ///
    /// `clock` gives Unix milliseconds, `random` that many unpredictable bytes.
    package static func open(
        on database: Database,
        settings: Settings,
        clock: @escaping @Sendable () -> Int64,
        random: @escaping @Sendable (Int) -> [UInt8]
    ) async throws -> Directory {
        try await database.migrate("directory", migrations)
        let fresh = random(32)
        let secret = try await database.write { transaction in
            try transaction.execute(SQL.putSecret, "decoy", fresh)
            return try transaction.first(SQL.secret, "decoy") { $0.bytes(0) } ?? fresh
        }
        return Directory(database, settings, decoySecret: secret, clock: clock, random: random)
    }

    /// Forgets cached answers as others change them; runs until cancelled.
    package func followChanges() async {
        for await _ in database.listen(Self.channel) { entries.clear() }
    }

    /// True for a domain whose mailboxes live here.
    package func isLocal(_ domain: String) -> Bool { settings.domains.contains(domain) }

    /// Runs `body`, telling every failure of the database in the directory's words.
    func asking<Value>(
        _ body: () async throws -> Value
    ) async throws(DirectoryError) -> Value {
        do {
            return try await body()
        } catch let error as DirectoryError {
            throw error
        } catch {
            throw .unavailable("\(error)")
        }
    }
}

extension Account {
    init(_ row: borrowing Row) {
        self.init(
            id: AccountID(rawValue: row.int(0)),
            login: row.text(1),
            kind: Kind(rawValue: row.text(2)) ?? .system,
            // A state from a newer program: neither receives nor logs in.
            state: State(rawValue: row.text(3)) ?? .closed,
            quotaBytes: row.intOrNil(4),
            quotaMessages: row.intOrNil(5),
            language: row.textOrNil(6),
            displayName: row.textOrNil(7)
        )
    }
}

extension Directory.Entry {
    init(_ row: borrowing Row) {
        self.init(
            account: Account(row),
            credential: row.textOrNil(8).flatMap(SCRAMCredential.init(text:))
        )
    }
}
