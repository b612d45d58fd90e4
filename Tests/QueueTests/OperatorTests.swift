import Mail
import Queue
import TestRig
import Testing

@Suite("Operators")
struct OperatorTests {
    @Test(arguments: TestEngine.allCases)
    func listsByAnyPropertyInPages(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            for number in 0..<5 {
                try await rig.enqueue(
                    rig.message("Q\(number)", from: number == 4 ? "<>" : "anne@demo.example"),
                    to: ["r\(number)@remote.example", "s\(number)@d\(number).example"]
                )
            }
            let queue = rig.queue
            let first = try await queue.list(limit: 2)
            #expect(first.map(\.message.queueID) == ["Q0", "Q1"])
            let rest = try await queue.list(after: first.last?.position)
            #expect(rest.map(\.message.queueID) == ["Q2", "Q3", "Q4"])
            #expect(rest.first?.recipients.count == 2)

            let null = try await queue.list(QueueFilter(reversePath: .null))
            #expect(null.map(\.message.queueID) == ["Q4"])
            let one = try await queue.list(QueueFilter(state: .ready, destination: "D3.example"))
            #expect(one.map(\.message.queueID) == ["Q3"])
            let path = EmailAddress(parsing: "r2@remote.example")
            #expect(
                try await queue.list(QueueFilter(forwardPath: path)).map(\.message.queueID)
                    == ["Q2"]
            )
            #expect(try await queue.show("Q1").count == 1)
            #expect(try await queue.show("nothing").isEmpty)

            let counts = try await queue.counts()
            #expect(counts.count == 6)
            #expect(counts.last?.destination == "remote.example")
            #expect(counts.last?.recipients == 5)
        }
    }

    @Test(arguments: TestEngine.allCases)
    func holdsAndReleases(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            try await rig.enqueue(to: ["b@remote.example", "c@other.example"])
            #expect(try await rig.queue.hold(QueueFilter(destination: "remote.example")) == 1)
            let scheduler = rig.scheduler()
            await scheduler.pass()
            rig.clock.advance(minutes: 24 * 60 * 30)
            await scheduler.pass()
            #expect(try await rig.states() == ["b@remote.example": .held])
            #expect(rig.agent.attempts.count == 1)
            #expect(try await rig.queue.retryNow(QueueFilter()) == 0)
            #expect(try await rig.queue.release(QueueFilter()) == 1)
            #expect(try await rig.states() == ["b@remote.example": .ready])
            await scheduler.pass()
            #expect(try await rig.states().isEmpty)
        }
    }

    @Test(arguments: TestEngine.allCases)
    func retriesBeforeTime(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            rig.agent.answer { _ in .deferred(.busy, scope: .recipient) }
            try await rig.enqueue(to: ["b@remote.example"])
            let scheduler = rig.scheduler()
            await scheduler.pass()
            await scheduler.pass()
            #expect(rig.agent.attempts.count == 1)
            #expect(try await rig.queue.retryNow(QueueFilter(queueID: "Q1")) == 1)
            await scheduler.pass()
            #expect(rig.agent.attempts.count == 2)
        }
    }

    @Test(arguments: TestEngine.allCases, [DeletionNotice.silent, .notify])
    func deletesWithAndWithoutNotice(_ engine: TestEngine, _ notice: DeletionNotice) async throws {
        try await withQueue(engine) { rig in
            rig.agent.answer { _ in .deferred(.busy, scope: .recipient) }
            try await rig.enqueue(to: ["b@remote.example", "c@other.example"])
            let scheduler = rig.scheduler()
            await scheduler.pass()
            let filter = QueueFilter(destination: "remote.example")
            #expect(try await rig.queue.delete(filter, notice, bodies: TestBodies()) == 1)
            await scheduler.pass()
            #expect(try await rig.states() == ["c@other.example": .deferred])
            #expect(try await rig.releasedBodies().isEmpty)
            let texts = try await rig.notifications()
            #expect(texts.count == (notice == .notify ? 1 : 0))
            #expect(texts.allSatisfy { $0.contains("Status: 5.7.14") })
            #expect(try await rig.queue.delete(QueueFilter(), .silent, bodies: TestBodies()) == 1)
            #expect(try await rig.queue.list().isEmpty)
            #expect(try await rig.releasedBodies() == [7])
        }
    }

    /// What an operator does during an attempt stands, unless the message went out meanwhile.
    @Test(arguments: TestEngine.allCases, [true, false])
    func winsAgainstAnAttempt(_ engine: TestEngine, succeeds: Bool) async throws {
        try await withQueue(engine) { rig in
            let queue = rig.queue
            rig.agent.answer { _ in
                _ = try? await queue.hold(QueueFilter())
                return succeeds
                    ? .relayed(.accepted, keepsDSN: true) : .deferred(.busy, scope: .recipient)
            }
            try await rig.enqueue(to: ["b@remote.example"])
            await rig.scheduler().pass()
            #expect(try await rig.states() == (succeeds ? [:] : ["b@remote.example": .held]))
        }
    }

    /// The sweep of the store asks before it removes a body.
    @Test(arguments: TestEngine.allCases)
    func knowsTheBodiesItNeeds(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            try await rig.enqueue(rig.message(body: 11), to: ["b@remote.example"])
            let queue = rig.queue
            let used = try await rig.database.read {
                try queue.bodiesInUse(among: [10, 11, 12], in: $0)
            }
            #expect(used == [11])
        }
    }
}
