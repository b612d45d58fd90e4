import Blobs
import Database
import Logging
import Mail
import Store
import Synchronization
import TestRig

/// A store over a new database and a new blob folder, with a clock that the test moves.
final class Fixture: Sendable {
    let store: Store
    let database: Database
    let folder: String
    private let temporary: TemporaryDatabase

    /// When the clock starts; Unix milliseconds.
    static let start: Int64 = 1_700_000_000_000

    init(
        _ engine: TestEngine,
        limits: Store.Limits = Store.Limits(),
        writer: @escaping FileWriter = writeToFile
    ) async throws {
        temporary = try TemporaryDatabase(engine)
        folder = try TemporaryFolder.make()
        database = try await Database.open(
            temporary.url,
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let blobs = try await Blobs(root: folder + "/blobs", writer: writer)
        let clock = Clock()
        store = Store(database: database, blobs: blobs, limits: limits) { clock.now }
        self.clock = clock
        try await store.migrate()
    }

    private let clock: Clock

    func advance(milliseconds: Int64) { clock.advance(milliseconds) }

    /// A second store over the same database, as another process has it.
    func another() async throws -> Store {
        let blobs = try await Blobs(root: folder + "/blobs")
        return Store(database: database, blobs: blobs) { [clock] in clock.now }
    }

    /// A store over a connection of its own, as another node has it; the caller closes that.
    func otherNode() async throws -> (Store, Database) {
        let database = try await Database.open(
            temporary.url,
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let blobs = try await Blobs(root: folder + "/blobs")
        return (Store(database: database, blobs: blobs) { [clock] in clock.now }, database)
    }

    deinit { TemporaryFolder.remove(folder) }

    private final class Clock: Sendable {
        private let milliseconds = Mutex(Fixture.start)
        var now: Int64 { milliseconds.withLock { $0 } }
        func advance(_ step: Int64) { milliseconds.withLock { $0 += step } }
    }
}

/// Runs `body` with a fresh store and closes the database after it.
func withStore(
    _ engine: TestEngine,
    limits: Store.Limits = Store.Limits(),
    writer: @escaping FileWriter = writeToFile,
    _ body: (Fixture) async throws -> Void
) async throws {
    let fixture = try await Fixture(engine, limits: limits, writer: writer)
    do {
        try await body(fixture)
    } catch {
        try await fixture.database.close()
        throw error
    }
    try await fixture.database.close()
}

/// A small message whose text is `text` and whose size is at least `size`.
func message(_ text: String, size: Int = 0) -> [UInt8] {
    var bytes = Array(
        """
        From: Anne <anne@demo.example>\r
        To: Benoit <benoit@demo.example>\r
        Subject: \(text)\r
        Message-ID: <\(text.filter(\.isLetter)).\(text.hashValue.magnitude)@demo.example>\r
        Date: Mon, 23 Nov 2026 16:00:00 +0000\r
        \r
        \(text)\r

        """.utf8
    )
    var random = RandomNumbers(seed: UInt64(size + 1))
    while bytes.count < size {
        bytes += (0..<70).map { _ in UInt8.random(in: 33...126, using: &random) } + [13, 10]
    }
    return bytes
}

let anne = AccountID(rawValue: 1)
let benoit = AccountID(rawValue: 2)

extension Fixture {
    /// Delivers in a transaction of its own.
    @discardableResult
    func deliver(
        _ bytes: [UInt8],
        to targets: [DeliveryTarget] = [DeliveryTarget(account: anne)]
    ) async throws -> [DeliveryOutcome] {
        let prepared = try await store.prepare(bytes)
        return try await database.write(lane: targets[0].account.rawValue) { [store] transaction in
            try store.deliver(prepared, to: targets, in: transaction)
        }
    }

    /// One number that a query yields.
    func number(_ statement: Statement) async throws -> Int64 {
        try await database.read { reader in try reader.first(statement) { $0.int(0) } ?? -1 }
    }

    func execute(_ statement: Statement) async throws {
        try await database.write { transaction in _ = try transaction.execute(statement) }
    }
}

func all(_ scan: BodyScan) async throws -> [MessageBody] {
    var scan = scan
    var bodies: [MessageBody] = []
    while let batch = try await scan.next() { bodies += batch }
    return bodies
}

func all(_ scan: MessageScan) async throws -> [MessageRow] {
    var scan = scan
    var rows: [MessageRow] = []
    while let batch = try await scan.next() { rows += batch.rows }
    return rows
}
