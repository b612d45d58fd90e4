import Database
import Dispatch
import Synchronization
import TestRig
import Testing

@Suite("Group commit")
struct GroupCommitTests {
    private struct Refused: Error, Equatable {
        let number: Int
    }

    @Test(arguments: TestEngine.allCases)
    func `a violated constraint is named`(_ engine: TestEngine) async throws {
        let violations: [(Statement, DatabaseError.Constraint)] = [
            ("INSERT INTO pair (key, value) VALUES (1, 2)", .unique),
            ("INSERT INTO pair (key, value) VALUES (2, NULL)", .notNull),
            ("INSERT INTO child (id, parent, size) VALUES (1, 5, 0)", .foreignKey),
            ("INSERT INTO child (id, parent, size) VALUES (1, 1, -1)", .check),
        ]
        try await withDatabase(engine) { database in
            try await database.write { tx in try tx.execute(insertPair, 1, 1) }
            for (statement, expected) in violations {
                for isSubmitted in [false, true] {
                    do {
                        try await database.write { tx in
                            if isSubmitted {
                                try tx.submit(statement)
                            } else {
                                try tx.execute(statement)
                            }
                        }
                        Issue.record("\(expected) was not enforced")
                    } catch DatabaseError.constraint(let constraint, _) {
                        #expect(constraint == expected)
                    }
                }
            }
        }
    }

    /// The first job holds the lane until all others wait, so that they share one group.
    @Test(arguments: TestEngine.allCases)
    func `a failing job leaves no trace and its neighbours stand`(_ engine: TestEngine) async throws
    {
        var settings = Database.Settings()
        settings.lanes = 1
        try await withDatabase(engine, settings: settings) { database in
            let gate = DispatchSemaphore(value: 0)
            let outcomes = await withTaskGroup(of: (Int, String).self) { group in
                group.addTask {
                    do {
                        try await database.write { tx in
                            try tx.execute(insertPair, -1, 0)
                            gate.wait()
                            gate.signal()
                        }
                        return (-1, "")
                    } catch { return (-1, "\(error)") }
                }
                for number in 0..<60 {
                    group.addTask {
                        do {
                            try await database.write { tx in try Self.job(number, tx) }
                            return (number, "")
                        } catch let refused as Refused {
                            return (number, "refused \(refused.number)")
                        } catch DatabaseError.constraint(let constraint, _) {
                            return (number, "\(constraint)")
                        } catch { return (number, "\(error)") }
                    }
                }
                gate.signal()
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            var expected: [Int64] = [-1]
            for number in 0..<60 {
                switch number % 6 {
                case 1, 2: #expect(outcomes[number] == "refused \(number)")
                case 3, 4: #expect(outcomes[number] == "unique")
                case 5: #expect(outcomes[number] == "foreignKey")
                default:
                    #expect(outcomes[number] == "")
                    expected.append(Int64(number))
                }
            }
            let keys = try await database.keys()
            #expect(keys == expected)
        }
    }

    private static func job(_ number: Int, _ tx: Transaction) throws {
        switch number % 6 {
        case 1:  // A refusal before anything is written.
            _ = try tx.first(pairCount) { $0.int(0) }
            throw Refused(number: number)
        case 2:  // A refusal after a write.
            try tx.submit(insertPair, number, 0)
            throw Refused(number: number)
        case 3:  // An error nobody waits for.
            try tx.submit(insertPair, number, 0)
            try tx.submit(insertPair, number, 0)
        case 4:  // An error that the job swallows.
            try tx.execute(insertPair, number, 0)
            do { try tx.execute(insertPair, number, 0) } catch {}
        case 5:  // An error that appears at the commit.
            try tx.execute(insertPair, number, 0)
            try tx.execute("INSERT INTO child (id, parent, size) VALUES ($1, 77, 1)", number)
        default:
            try tx.submit(insertPair, number, 0)
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `hooks run in commit order, once, before the caller goes on`(
        _ engine: TestEngine
    ) async throws {
        final class Log: Sendable {
            let entries = Mutex<[Int64]>([])
        }
        try await withDatabase(engine) { database in
            let log = Log()
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        do {
                            let order = try await database.write(lane: 5) { tx -> Int64 in
                                try tx.submit(insertPair, number, 0)
                                let order = try tx.first(pairCount) { $0.int(0) } ?? 0
                                tx.afterCommit { log.entries.withLock { $0.append(order) } }
                                if number % 10 == 3 { throw Refused(number: number) }
                                return order
                            }
                            #expect(log.entries.withLock { $0.contains(order) })
                        } catch {
                            #expect(error as? Refused == Refused(number: number))
                        }
                    }
                }
            }
            #expect(log.entries.withLock { $0 } == Array(1...90))
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `200 concurrent writers lose no update`(_ engine: TestEngine) async throws {
        try await withDatabase(engine) { database in
            try await database.write { tx in
                for key in 0..<10 { try tx.submit(insertPair, key, 0) }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<200 {
                    group.addTask {
                        for turn in 0..<5 {
                            let changed = try await database.write(lane: Int64(writer)) { tx in
                                try tx.execute(increment, (writer + turn) % 10)
                            }
                            #expect(changed == 1)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let sum = try await database.read {
                try $0.first("SELECT sum(value) FROM pair") { $0.int(0) }
            }
            #expect(sum == 1_000)
        }
    }

    @Test
    func `lanes that deadlock are tried again until both succeed`() async throws {
        try await withDatabase(.postgreSQL) { database in
            try await database.write { tx in
                for key in 0..<2 { try tx.submit(insertPair, key, 0) }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for lane in 0..<2 {
                    group.addTask {
                        for _ in 0..<3 {
                            try await database.write(lane: Int64(lane)) { tx in
                                try tx.execute(increment, lane % 2)
                                try tx.execute("SELECT pg_sleep(0.02)")
                                try tx.execute(increment, 1 - lane % 2)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let value0 = try await database.value(of: 0)
            #expect(value0 == 6)
            let value1 = try await database.value(of: 1)
            #expect(value1 == 6)
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a reader sees one state however long it looks`(_ engine: TestEngine) async throws {
        try await withDatabase(engine) { database in
            let hasLooked = DispatchSemaphore(value: 0)
            let hasWritten = DispatchSemaphore(value: 0)
            async let counts = database.read { reader in
                let before = try reader.first(pairCount) { $0.int(0) }
                hasLooked.signal()
                hasWritten.wait()
                return [before, try reader.first(pairCount) { $0.int(0) }]
            }
            await wait(for: hasLooked)
            try await database.write { tx in try tx.execute(insertPair, 1, 1) }
            hasWritten.signal()
            let seen = try await counts
            #expect(seen == [0, 0])
            let keys = try await database.keys()
            #expect(keys == [1])
        }
    }

    /// Waits on a thread of its own, off the cooperative pool.
    private func wait(for semaphore: DispatchSemaphore) async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                semaphore.wait()
                continuation.resume()
            }
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `more jobs than may wait are refused, not kept`(_ engine: TestEngine) async throws {
        var settings = Database.Settings()
        settings.waitingLimit = 5
        try await withDatabase(engine, settings: settings) { database in
            let gate = DispatchSemaphore(value: 0)
            let refused = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        do {
                            try await database.write { tx in
                                gate.wait()
                                gate.signal()
                                try tx.execute(insertPair, number, 0)
                            }
                            return false
                        } catch DatabaseError.unavailable {
                            gate.signal()
                            return true
                        } catch { return false }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(refused >= 10)
            let keys = try await database.keys()
            #expect(keys.count == 20 - refused)
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a closed database refuses`(_ engine: TestEngine) async throws {
        try await withDatabase(engine) { database in
            try await database.close()
            await #expect(throws: DatabaseError.self) {
                try await database.write { tx in try tx.execute(insertPair, 1, 1) }
            }
            await #expect(throws: DatabaseError.self) { try await database.keys() }
        }
    }
}
