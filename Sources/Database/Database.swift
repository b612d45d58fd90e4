package import Logging

/// One database, in SQLite or PostgreSQL, behind one surface.
///
/// All work runs on the engine's own threads in synchronous closures; nothing awaits inside a
/// transaction. Close it when done: until then its threads stand.
package final class Database: Sendable {
    private enum Engine {
        case sqlite(SQLiteEngine)
        case postgreSQL(PostgreSQLEngine)
    }

    /// Which engine stands under a database.
    package enum Kind: Sendable {
        case sqlite, postgreSQL
    }

    private let engine: Engine
    private let listeners: Listeners

    private init(_ engine: Engine, _ listeners: Listeners) {
        self.engine = engine
        self.listeners = listeners
    }

    deinit {
        switch engine {
        case .sqlite(let engine): engine.stop()
        case .postgreSQL(let engine): engine.stop()
        }
        listeners.close()
    }

    /// Opens `sqlite:/path/to/file`, which is created when missing, or `postgresql://…` in any form
    /// that libpq takes.
    package static func open(
        _ url: String,
        settings: Settings = Settings(),
        log: Logger
    ) async throws -> Database {
        let listeners = Listeners()
        if let path = sqlitePath(url) {
            let engine = try await Threads().once("sqlite-open") {
                try SQLiteEngine(path: path, settings: settings, listeners: listeners)
            }
            engine.start(settings)
            return Database(.sqlite(engine), listeners)
        }
        guard url.hasPrefix("postgresql://") || url.hasPrefix("postgres://") else {
            throw DatabaseError.failed("a database URL begins with sqlite: or postgresql://")
        }
        let engine = PostgreSQLEngine(url, settings: settings, listeners: listeners, log: log)
        try await engine.start()
        return Database(.postgreSQL(engine), listeners)
    }

    private static func sqlitePath(_ url: String) -> String? {
        guard url.hasPrefix("sqlite:") else { return nil }
        let path = url.dropFirst("sqlite:".count)
        return String(path.hasPrefix("//") ? path.dropFirst(2) : path)
    }

    package var kind: Kind {
        switch engine {
        case .sqlite: .sqlite
        case .postgreSQL: .postgreSQL
        }
    }

    /// Runs `body` on one unchanging state of the database.
    ///
    /// `body` may run again after a lost connection.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (Reader) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let job = Job<Reader>(
                run: { reader in
                    let value = try body(reader)
                    return { continuation.resume(returning: value) }
                },
                fail: { continuation.resume(throwing: $0) }
            )
            let isTaken =
                switch engine {
                case .sqlite(let engine): engine.read(job)
                case .postgreSQL(let engine): engine.read(job)
                }
            if !isTaken { job.fail(Self.refusal) }
        }
    }

    /// Runs `body` in a transaction and returns once it is durable.
    ///
    /// Jobs that arrive while a commit is under way share the next one. `body` may run more than
    /// once before the commit that counts, so it keeps no state outside; it sees what earlier jobs
    /// of its group wrote. If it throws, or one of its statements fails, nothing of it remains and
    /// its neighbours are not touched. Jobs of equal `lane` run one after the other; on PostgreSQL
    /// others may run beside them, so choose the lane by what is contended, as the account.
    @discardableResult
    package func write<Value: Sendable>(
        lane: Int64 = 0,
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let job = Job<Transaction>(
                run: { transaction in
                    let value = try body(transaction)
                    return { continuation.resume(returning: value) }
                },
                fail: { continuation.resume(throwing: $0) }
            )
            let isTaken =
                switch engine {
                case .sqlite(let engine): engine.write(job)
                case .postgreSQL(let engine): engine.write(job, lane: lane)
                }
            if !isTaken { job.fail(Self.refusal) }
        }
    }

    private static let refusal = DatabaseError.unavailable("closed, or too many jobs waiting")

    /// What is told on `channel` from now on, by this process and by others.
    ///
    /// SQLite carries no text between processes: what another one writes arrives as `.missed`.
    package func listen(_ channel: String) -> AsyncStream<Notice> {
        listeners.listen(channel)
    }

    /// Brings `service`'s tables up to date; safe while other nodes do the same.
    package func migrate(_ service: String, _ migrations: [Migration]) async throws {
        let plan = MigrationPlan(service: service, migrations: migrations)
        switch engine {
        case .sqlite(let engine): try await engine.migrate(plan)
        case .postgreSQL(let engine): try await engine.migrate(plan)
        }
    }

    /// Finishes the jobs already given, then ends the threads and connections.
    package func close() async throws {
        listeners.close()
        switch engine {
        case .sqlite(let engine): try await engine.close()
        case .postgreSQL(let engine): await engine.close()
        }
    }
}

extension Database {
    /// The limits of a database.
    package struct Settings: Sendable {
        /// PostgreSQL connections that write; SQLite has one.
        package var lanes = 4
        /// Connections that read.
        package var readers = 4
        /// Jobs in one commit.
        package var groupLimit = 256
        /// Jobs waiting in one lane; more are refused as `unavailable`.
        package var waitingLimit = 20_000
        /// How long a SQLite writer waits for another process's transaction.
        package var busyMilliseconds = 10_000
        /// SQLite's page cache per connection.
        package var cacheKilobytes = 16_384
        /// Pages of 8 KiB in SQLite's log before they are moved to the file.
        package var checkpointPages = 2_000
        /// How often SQLite looks for other processes' changes.
        package var pollMilliseconds = 250
        /// The longest pause between two attempts to reach PostgreSQL.
        package var reconnectMilliseconds = 5_000

        package init() {}
    }
}
