import GRDB
import Logging
import Synchronization

/// One SQLite file: one writer, several readers.
final class SQLiteEngine: Sendable {
    private let pool: DatabasePool
    private let threads = Threads()
    private let writes: Inbox<Job<Transaction>>
    private let reads: Inbox<Job<Reader>>
    private let polls = Inbox<Never>(limit: 1)
    private let listeners: Listeners
    private let firstVersion: Int
    private let isOpen = Atomic(true)

    /// Blocks while the file is opened, and recovered after a crash.
    init(path: String, settings: Database.Settings, listeners: Listeners) throws(DatabaseError) {
        self.listeners = listeners
        writes = Inbox(limit: settings.waitingLimit)
        reads = Inbox(limit: settings.waitingLimit)
        do {
            pool = try DatabasePool(path: path, configuration: Self.configuration(settings))
            // GRDB sets NORMAL when it turns WAL on, and NORMAL loses commits in a power cut.
            firstVersion = try pool.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA synchronous = FULL")
                let level = try Int.fetchOne(database, sql: "PRAGMA synchronous")
                guard level == 2 else {
                    throw DatabaseError.unavailable("SQLite refuses synchronous = FULL")
                }
                return try Self.dataVersion(database)
            }
        } catch let error as DatabaseError {
            throw error
        } catch {
            throw .unavailable("\(path): \(error)")
        }
    }

    private static func configuration(_ settings: Database.Settings) -> Configuration {
        var configuration = Configuration()
        configuration.maximumReaderCount = settings.readers
        configuration.busyMode = .timeout(Double(settings.busyMilliseconds) / 1_000)
        configuration.label = "relais"
        configuration.prepareDatabase { database in
            try database.execute(
                sql: """
                    PRAGMA page_size = 8192;
                    PRAGMA cache_size = -\(settings.cacheKilobytes);
                    PRAGMA temp_store = MEMORY;
                    PRAGMA wal_autocheckpoint = \(settings.checkpointPages);
                    """
            )
        }
        return configuration
    }

    func start(_ settings: Database.Settings) {
        threads.start("sqlite-write") { [self] in commitGroups(upTo: settings.groupLimit) }
        for _ in 0..<settings.readers {
            threads.start("sqlite-read") { [self] in answerReads() }
        }
        threads.start("sqlite-poll") { [self] in watchForOthers(settings) }
    }

    func write(_ job: Job<Transaction>) -> Bool { writes.put(job) }

    func read(_ job: Job<Reader>) -> Bool { reads.put(job) }

    /// Takes no more jobs; those already taken are finished.
    func stop() {
        writes.close()
        reads.close()
        polls.close()
    }

    /// Stops, waits for the last job and closes the file.
    func close() async throws(DatabaseError) {
        stop()
        await threads.join()
        guard isOpen.exchange(false, ordering: .acquiringAndReleasing) else { return }
        do {
            try await emptyLog()
            try pool.close()
        } catch {
            throw .unavailable("\(error)")
        }
    }

    /// Moves the log into the file, so that the database alone is a whole backup.
    ///
    /// SQLite would do so when its last connection closes, but the pool closes its readers last, and
    /// they may not write. While another process has the file open, the log stays.
    private func emptyLog() async throws {
        do {
            try await pool.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA busy_timeout = 0")
                try database.checkpoint(.truncate)
            }
        } catch let error as GRDB.DatabaseError
            where error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED
        {
            return
        }
    }

    func migrate(_ plan: MigrationPlan) async throws {
        let pool = pool
        try await threads.once("sqlite-migrate") {
            try pool.writeWithoutTransaction { database in
                while try Self.step(plan, database) {}
            }
        }
    }

    /// Applies the next step in a transaction of its own; false when there was none.
    private static func step(_ plan: MigrationPlan, _ database: GRDB.Database) throws -> Bool {
        let session = SQLiteSession(database)
        // IMMEDIATE is the lock: a second program waits here, then finds the step applied.
        try session.begin(.alone)
        do {
            try database.execute(sql: MigrationPlan.createTable)
            let reader = Reader(session)
            let applied = try reader.all(MigrationPlan.applied, plan.service) { $0.text(0) }
            guard let next = try plan.next(after: applied) else {
                try session.commit(with: [])
                return false
            }
            try database.execute(sql: next.sqlite)
            _ = try session.execute(
                MigrationPlan.record,
                [.text(plan.service), .integer(Int64(applied.count)), .text(next.name)]
            )
            try session.commit(with: [])
            return true
        } catch {
            session.rollBack()
            if let error = error as? DatabaseError { throw error }
            throw DatabaseError.failed("migration of \(plan.service): \(error)")
        }
    }

    private func commitGroups(upTo limit: Int) {
        let groups = GroupCommit(announce: listeners.tell)
        while let jobs = writes.take(upTo: limit) {
            pool.writeWithoutTransaction { database in
                do {
                    _ = try groups.run(jobs, on: SQLiteSession(database))
                } catch {
                    for job in jobs { job.fail(error) }
                }
            }
        }
    }

    private func answerReads() {
        while let jobs = reads.take(upTo: 1) {
            for job in jobs {
                do {
                    let acknowledge = try pool.read { database in
                        let session = SQLiteSession(database)
                        let acknowledge = try job.run(Reader(session))
                        if let failure = session.failure { throw failure }
                        return acknowledge
                    }
                    acknowledge()
                } catch let error as GRDB.DatabaseError {
                    job.fail(DatabaseError.unavailable("\(error)"))
                } catch {
                    job.fail(error)
                }
            }
        }
    }

    /// Notices that another process has written.
    private func watchForOthers(_ settings: Database.Settings) {
        var last = firstVersion
        while polls.sleep(milliseconds: settings.pollMilliseconds) {
            let version = pool.writeWithoutTransaction { database in
                do { return try Self.dataVersion(database) } catch { return last }
            }
            if version != last { listeners.tellMissed() }
            last = version
        }
    }

    /// A number that on the writer's connection changes only when another process has written.
    private static func dataVersion(_ database: GRDB.Database) throws -> Int {
        try Int.fetchOne(database, sql: "PRAGMA data_version") ?? 0
    }
}
