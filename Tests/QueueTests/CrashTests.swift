import Mail
import Queue
import Synchronization
import TestRig
import Testing

@Suite("Crashes of a node")
struct CrashTests {
    /// A node that stops dead keeps its lease; another node waits for its end and then goes on.
    @Test(arguments: TestEngine.allCases)
    func anExpiredLeaseIsTakenOver(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            try await CrashStage.run { stage, start in
                rig.agent.answer { _ in
                    await stage.crash()
                    return .deferred(.busy, scope: .recipient)
                }
                try await rig.enqueue(to: ["b@remote.example"])
                await start { await rig.scheduler(node: "a").pass() }
                rig.agent.answer { _ in .relayed(.accepted, keepsDSN: true) }
                let other = rig.scheduler(node: "b")
                rig.clock.advance(minutes: 9)
                await other.pass()
                #expect(rig.agent.attempts.count == 1)
                let shown = try await rig.queue.list().first?.recipients.first
                #expect(shown?.lease?.hasPrefix("a/") == true)
                rig.clock.advance(minutes: 1)
                await other.pass()
                #expect(rig.agent.attempts.count == 2)
                #expect(try await rig.states().isEmpty)
            }
        }
    }

    @Test(arguments: TestEngine.allCases)
    func aRestartedNodeGoesOnAtOnce(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            try await CrashStage.run { stage, start in
                rig.agent.answer { _ in
                    await stage.crash()
                    return .deferred(.busy, scope: .recipient)
                }
                try await rig.enqueue(to: ["b@remote.example"])
                await start { await rig.scheduler(node: "a").pass() }
                rig.agent.answer { _ in .relayed(.accepted, keepsDSN: true) }
                let neighbour = rig.scheduler(node: "a2")
                await neighbour.releaseOldLeases()
                await neighbour.pass()
                #expect(rig.agent.attempts.count == 1)
                let restarted = rig.scheduler(node: "a")
                await restarted.releaseOldLeases()
                await restarted.pass()
                #expect(try await rig.states().isEmpty)
            }
        }
    }

    /// A node that comes back after its lease ran out: its failure counts no more, its success does.
    @Test(arguments: TestEngine.allCases, [true, false])
    func aLateAnswerCountsOnlyWhenItWentOut(_ engine: TestEngine, succeeds: Bool) async throws {
        try await withQueue(engine) { rig in
            let (reached, arrive) = AsyncStream.makeStream(of: Void.self)
            let (allowed, allow) = AsyncStream.makeStream(of: Void.self)
            rig.agent.answer { _ in
                arrive.yield()
                for await _ in allowed { break }
                return succeeds ? .relayed(.accepted, keepsDSN: true) : .bounced(.unknown)
            }
            try await rig.enqueue(to: ["b@remote.example"])
            let late = rig.scheduler(node: "a")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await late.pass() }
                for await _ in reached { break }
                rig.agent.answer { _ in .deferred(.busy, scope: .recipient) }
                rig.clock.advance(minutes: 11)
                await rig.scheduler(node: "b").pass()
                #expect(try await rig.states() == ["b@remote.example": .deferred])
                allow.yield()
                try await group.next()
            }
            #expect(try await rig.states() == (succeeds ? [:] : ["b@remote.example": .deferred]))
            #expect(try await rig.notifications().isEmpty)
        }
    }

    /// Two nodes at work on one queue attempt every recipient once.
    @Test(arguments: TestEngine.allCases)
    func nodesShareTheQueue(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            for number in 0..<120 {
                try await rig.enqueue(to: ["r\(number)@d\(number % 7).example"])
            }
            await withDiscardingTaskGroup { group in
                for node in ["a", "b", "c"] {
                    let scheduler = rig.scheduler(node: node)
                    group.addTask { await scheduler.pass() }
                }
            }
            let paths = rig.agent.attempts.flatMap(\.recipients).map(\.path.forwardPath.localPart)
            #expect(paths.count == 120)
            #expect(Set(paths).count == 120)
            #expect(try await rig.states().isEmpty)
            #expect(try await rig.releasedBodies().count == 120)
        }
    }

    /// The node dies at a random point of its work, again and again, and is started again.
    ///
    /// At every moment each recipient is in one named state; at the end each was sent, or its
    /// failure told exactly once; and it was sent twice only where the node died between the next
    /// hop's reply and our record of it.
    @Test(arguments: TestEngine.allCases, 0..<6 as Range<UInt64>)
    func leaveEveryRecipientInOneState(_ engine: TestEngine, seed: UInt64) async throws {
        try await withQueue(engine, seed: seed) { rig in
            let chance = SeededRandom(seed)
            let diedAfterSending = Mutex<Set<String>>([])
            var all: Set<String> = []
            for number in 0..<12 {
                let paths = ["b\(number)@bad\(number % 2).example", "g\(number)@good.example"]
                all.formUnion(paths)
                try await rig.enqueue(rig.message("Q\(number)", body: Int64(number)), to: paths)
            }
            // One attempt at a time: where one stands still, the whole node does.
            var limits = QueueScheduler.Limits()
            limits.attempts = 1
            let oneByOne = limits
            try await CrashStage.run { stage, start in
                rig.agent.answer { attempt in
                    switch chance.next() % 12 {
                    case 0:
                        await stage.crash()
                        return .deferred(.busy, scope: .recipient)
                    case 1, 2: return .deferred(.busy, scope: .recipient)
                    default: break
                    }
                    if attempt.destination.hasPrefix("bad") { return .bounced(.unknown) }
                    rig.agent.noteSent(attempt)
                    if chance.next() % 8 == 0 {
                        diedAfterSending.withLock { died in
                            died.formUnion(attempt.recipients.map(\.path.forwardPath.description))
                        }
                        await stage.crash()
                    }
                    return .relayed(.accepted, keepsDSN: true)
                }
                rig.outbox.beforePreparing {
                    switch chance.next() % 6 {
                    case 0: await stage.crash()
                    case 1: rig.outbox.become(.cannotPrepare)
                    default: rig.outbox.become(.none)
                    }
                }
                for round in 0..<200 {
                    await start {
                        let node = rig.scheduler(node: "a", limits: oneByOne)
                        await node.releaseOldLeases()
                        await node.pass()
                    }
                    let states = try await rig.states()
                    let told = try await rig.notifications().joined()
                    for path in all where states[path] == nil {
                        let wasTold = told.contains("Final-Recipient: rfc822; \(path)\r\n")
                        #expect(
                            wasTold || rig.agent.sent[path] != nil,
                            "\(path) vanished in round \(round), seed \(seed)"
                        )
                    }
                    if states.isEmpty { break }
                    rig.clock.advance(minutes: 20)
                }
            }
            #expect(try await rig.states().isEmpty)
            let told = try await rig.notifications().joined()
            for path in all {
                let times = told.components(of: "Final-Recipient: rfc822; \(path)\r\n")
                if path.hasPrefix("b") {
                    #expect(times == 1, "\(path) told \(times) times, seed \(seed)")
                } else {
                    let sent = rig.agent.sent[path] ?? 0
                    let isExcused = diedAfterSending.withLock { $0.contains(path) }
                    #expect(sent == 1 || (sent > 1 && isExcused), "\(path) sent \(sent) times")
                }
            }
            #expect(Set(try await rig.releasedBodies()).count == 12)
            #expect(try await rig.releasedBodies().count == 12)
        }
    }
}

extension String {
    fileprivate func components(of part: String) -> Int {
        split(separator: part, omittingEmptySubsequences: false).count - 1
    }
}

/// Lets nodes stop dead: whoever calls `crash()` goes no further.
///
/// What is left of a dead node stands still until the test is over, and is then let go, cancelled,
/// so that its tasks can end.
final class CrashStage: Sendable {
    private struct State {
        var frozen: [CheckedContinuation<Void, Never>] = []
        var death: AsyncStream<Void>.Continuation?
    }

    private let state = Mutex(State())

    func crash() async {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                state.frozen.append(continuation)
                state.death?.yield()
            }
        }
    }

    /// Runs `play`, which starts nodes with the function it is given; that function returns when
    /// the node has ended its work or died.
    static func run(
        _ play: (CrashStage, (@escaping @Sendable () async -> Void) async -> Void) async throws ->
            Void
    ) async throws {
        let stage = CrashStage()
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer {
                group.cancelAll()
                let frozen = stage.state.withLock { $0.frozen }
                for continuation in frozen { continuation.resume() }
            }
            try await play(stage) { work in
                let (deaths, death) = AsyncStream.makeStream(of: Void.self)
                stage.state.withLock { $0.death = death }
                group.addTask {
                    await work()
                    death.finish()
                }
                for await _ in deaths { break }
            }
        }
    }
}
