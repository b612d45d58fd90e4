import Database
import Foundation
import Synchronization
import TestRig
import Testing

@Suite("Crashes")
struct CrashTests {
    /// Every acknowledged write survives, whatever moment the process is killed at.
    @Test(arguments: [3, 40, 111, 230])
    func `a killed process keeps what it acknowledged in SQLite`(milliseconds: Int) async throws {
        let temporary = try TemporaryDatabase(.sqlite)
        let record = try TemporaryFolder.make() + "/acknowledged"
        defer { TemporaryFolder.remove(String(record.dropLast("/acknowledged".count))) }
        let url = temporary.url
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [
                url = url as String, record = record as String,
                milliseconds = milliseconds as Int
            ] in
            let database = try await Database.open(url, log: quiet)
            try await database.migrate("test", pairMigrations)
            let log = open(record, O_CREAT | O_WRONLY | O_APPEND, 0o600)
            let isFirst = Atomic(true)
            await write(to: database, writers: 10) { key in
                guard let key else { return }
                let line = "\(key)\n"
                _ = line.withCString { Glibc.write(log, $0, line.utf8.count) }
                guard isFirst.exchange(false, ordering: .relaxed) else { return }
                let killer = Thread {
                    usleep(UInt32(milliseconds) * 1_000)
                    kill(getpid(), SIGKILL)
                }
                killer.start()
            }
        }
        let text = try String(contentsOfFile: record, encoding: .utf8)
        let acknowledged = Set(text.split(separator: "\n").compactMap { Int64($0) })
        #expect(!acknowledged.isEmpty)
        let database = try await Database.open(url, log: quiet)
        let kept = Set(try await database.keys())
        #expect(acknowledged.isSubset(of: kept))
        #expect(kept.count <= acknowledged.count + 10)
        try await database.close()
        withExtendedLifetime(temporary) {}
    }

    /// The server is killed in mid-load three times; each time the lanes come back by themselves.
    @Test
    func `a killed PostgreSQL keeps what was acknowledged`() async throws {
        let server = try TemporaryPostgreSQL()
        var settings = Database.Settings()
        settings.reconnectMilliseconds = 100
        let database = try await Database.open(
            try server.makeDatabase(),
            settings: settings,
            log: quiet
        )
        try await database.migrate("test", pairMigrations)
        let acknowledged = Acknowledged()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await write(to: database, writers: 20, until: acknowledged.isOver) {
                    acknowledged.add($0)
                }
            }
            for round in 1...3 {
                await acknowledged.wait(forMore: 300)
                try server.kill()
                if round == 2 {
                    await #expect(throws: DatabaseError.self) { try await database.keys() }
                }
                try server.start()
            }
            await acknowledged.wait(forMore: 300)
            acknowledged.end()
            try await group.waitForAll()
        }
        let kept = Set(try await database.keys())
        #expect(acknowledged.all.isSubset(of: kept))
        #expect(acknowledged.failures > 0)
        try await database.close()
    }

    /// A connection that dies while nothing is under way costs no caller anything.
    @Test
    func `an idle lane survives a restart of the server unnoticed`() async throws {
        let server = try TemporaryPostgreSQL()
        let database = try await Database.open(try server.makeDatabase(), log: quiet)
        try await database.migrate("test", pairMigrations)
        try await database.write { tx in try tx.execute(insertPair, 1, 1) }
        let keys = try await database.keys()
        #expect(keys == [1])
        try server.kill()
        try server.start()
        try await database.write { tx in try tx.execute(insertPair, 2, 2) }
        let more = try await database.keys()
        #expect(more == [1, 2])
        try await database.close()
    }
}

/// Writers that insert ever new keys and call `acknowledge` after each success.
private func write(
    to database: Database,
    writers: Int,
    until isOver: @escaping @Sendable () -> Bool = { false },
    acknowledge: @escaping @Sendable (Int64?) -> Void
) async {
    await withTaskGroup(of: Void.self) { group in
        for writer in 0..<writers {
            group.addTask {
                var turn: Int64 = 0
                while !isOver() {
                    let key = Int64(writer) * 1_000_000 + turn
                    turn += 1
                    do {
                        try await database.write(lane: key) { tx in
                            try tx.submit(insertPair, key, key)
                        }
                        acknowledge(key)
                    } catch {
                        acknowledge(nil)
                        do { try await Task.sleep(for: .milliseconds(2)) } catch { return }
                    }
                }
            }
        }
    }
}

/// What the writers were told.
private final class Acknowledged: Sendable {
    private struct State {
        var keys: Set<Int64> = []
        var failures = 0
        var isOver = false
    }

    private let state = Mutex(State())

    var isOver: @Sendable () -> Bool { { self.state.withLock { $0.isOver } } }
    var all: Set<Int64> { state.withLock { $0.keys } }
    var failures: Int { state.withLock { $0.failures } }

    func add(_ key: Int64?) {
        state.withLock { state in
            if let key { state.keys.insert(key) } else { state.failures += 1 }
        }
    }

    func end() { state.withLock { $0.isOver = true } }

    func wait(forMore count: Int) async {
        let goal = all.count + count
        while all.count < goal {
            do { try await Task.sleep(for: .milliseconds(5)) } catch { return }
        }
    }
}
