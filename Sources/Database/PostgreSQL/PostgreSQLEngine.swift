import CPostgreSQL
import Logging

/// One PostgreSQL database: a few lanes that write, a few connections that read, one that listens.
///
/// Every connection belongs to one thread and is opened when that thread first needs it.
final class PostgreSQLEngine: Sendable {
    let url: String
    private let settings: Database.Settings
    private let listeners: Listeners
    private let log: Logger
    let threads = Threads()
    private let lanes: [Inbox<Job<Transaction>>]
    private let reads: Inbox<Job<Reader>>
    private let ownProcesses = OwnProcesses()
    private let listener: PostgreSQLListener

    init(_ url: String, settings: Database.Settings, listeners: Listeners, log: Logger) {
        self.url = url
        self.settings = settings
        self.listeners = listeners
        self.log = log
        lanes = (0..<max(1, settings.lanes)).map { _ in Inbox(limit: settings.waitingLimit) }
        reads = Inbox(limit: settings.waitingLimit)
        listener = PostgreSQLListener(
            url,
            to: listeners,
            except: ownProcesses,
            settings: settings,
            log: log
        )
    }

    /// Starts the threads once the server has been reached for a first time.
    func start() async throws {
        let url = url
        let durability = try await threads.once("postgresql-open") {
            let connection = try connect(to: url, .write)
            defer { PQfinish(connection) }
            return try value(connection, "SHOW fsync")
        }
        if durability != "on" {
            log.error("PostgreSQL runs with fsync off: a power cut loses acknowledged mail")
        }
        for lane in lanes {
            threads.start("postgresql-write") { [self] in commitGroups(from: lane) }
        }
        for _ in 0..<max(1, settings.readers) {
            threads.start("postgresql-read") { [self] in answerReads() }
        }
        threads.start("postgresql-listen") { [listener] in listener.run() }
        try await threads.once("postgresql-open") { [listener] in listener.waitForFirstAttempt() }
    }

    func write(_ job: Job<Transaction>, lane: Int64) -> Bool {
        lanes[Int(lane.magnitude % UInt64(lanes.count))].put(job)
    }

    func read(_ job: Job<Reader>) -> Bool { reads.put(job) }

    /// Takes no more jobs; those already taken are finished.
    func stop() {
        for lane in lanes { lane.close() }
        reads.close()
        listener.stop()
    }

    /// Stops and waits for the last job.
    func close() async {
        stop()
        await threads.join()
    }

    private func commitGroups(from lane: Inbox<Job<Transaction>>) {
        let groups = GroupCommit(announce: listeners.tell)
        var line = Line(url, .write, settings)
        var window = GroupWindow(limit: settings.groupLimit)
        while let jobs = lane.take(upTo: window.size) {
            do throws(DatabaseError) {
                let contention: GroupCommit.Contention
                do throws(DatabaseError) {
                    contention = try groups.run(jobs, on: open(&line))
                } catch {
                    // Lost before a commit was sent, as an idle connection is when the server has
                    // been restarted: once more, on a new one.
                    guard close(&line) else { throw error }
                    log.warning("lane reconnects", metadata: ["cause": "\(error)"])
                    contention = try groups.run(jobs, on: open(&line))
                }
                window.note(contention, in: jobs.count)
            } catch {
                log.error("lane has no connection", metadata: ["cause": "\(error)"])
                for job in jobs { job.fail(error) }
            }
            if line.session?.isLost == true { _ = close(&line) }
        }
        _ = close(&line)
    }

    private func open(_ line: inout Line) throws(DatabaseError) -> PostgreSQLSession {
        if let session = line.session { return session }
        let session = try line.open()
        ownProcesses.insert(session.processID)
        return session
    }

    /// False when there was no connection to close.
    private func close(_ line: inout Line) -> Bool {
        guard let session = line.session else { return false }
        ownProcesses.remove(session.processID)
        line.session = nil
        return true
    }

    private func answerReads() {
        var line = Line(url, .read, settings)
        while let jobs = reads.take(upTo: 1) {
            for job in jobs {
                do {
                    let isFresh = line.session == nil
                    do {
                        try answer(job, on: line.open())
                    } catch  where !isFresh && line.session?.isLost == true {
                        line.session = nil
                        try answer(job, on: line.open())
                    }
                } catch {
                    job.fail(error)
                }
                if line.session?.isLost == true { line.session = nil }
            }
        }
    }

    private func answer(_ job: Job<Reader>, on session: PostgreSQLSession) throws {
        let acknowledge: @Sendable () -> Void
        do {
            try session.beginReading()
            acknowledge = try job.run(Reader(session))
            try session.endReading()
        } catch {
            let cause = session.failure ?? error
            session.rollBack()
            throw cause
        }
        acknowledge()
    }
}

/// How many jobs a lane puts into one commit.
///
/// Halved when the groups of two lanes get in each other's way, and widened again while they do
/// not, as TCP does with its window.
private struct GroupWindow {
    let limit: Int
    private(set) var size: Int
    private var calmGroups = 0

    /// Groups without contention before the window widens.
    private static let patience = 16

    init(limit: Int) {
        self.limit = limit
        size = limit
    }

    mutating func note(_ contention: GroupCommit.Contention, in jobs: Int) {
        switch contention {
        case .met:
            size = max(1, jobs / 2)
            calmGroups = 0
        case .none where size < limit:
            calmGroups += 1
            guard calmGroups >= Self.patience else { return }
            size = min(limit, size * 2)
            calmGroups = 0
        case .none: break
        }
    }
}

/// A thread's connection, with a pause after each failed attempt to open it.
private struct Line {
    private let url: String
    private let purpose: Purpose
    private var backOff: BackOff
    private var notBefore: ContinuousClock.Instant?
    private var lastFailure = DatabaseError.unavailable("not connected")
    var session: PostgreSQLSession?

    init(_ url: String, _ purpose: Purpose, _ settings: Database.Settings) {
        self.url = url
        self.purpose = purpose
        backOff = BackOff(longest: settings.reconnectMilliseconds)
    }

    /// The open connection, or a new one; fails at once during the pause.
    mutating func open() throws(DatabaseError) -> PostgreSQLSession {
        if let session { return session }
        if let notBefore, ContinuousClock.now < notBefore { throw lastFailure }
        do throws(DatabaseError) {
            let opened = try PostgreSQLSession(url: url, purpose: purpose)
            session = opened
            notBefore = nil
            backOff.reset()
            return opened
        } catch {
            lastFailure = error
            notBefore = ContinuousClock.now + .milliseconds(backOff.next())
            throw error
        }
    }
}
