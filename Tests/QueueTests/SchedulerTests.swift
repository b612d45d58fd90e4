import Mail
import Queue
import TestRig
import Testing

@Suite("Scheduler")
struct SchedulerTests {
    @Test(arguments: TestEngine.allCases)
    func deliversAndForgets(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            try await rig.enqueue(to: ["b@remote.example", "c@other.example"])
            await rig.scheduler().pass()
            #expect(try await rig.states().isEmpty)
            #expect(
                rig.agent.attempts.map(\.destination).sorted() == [
                    "other.example", "remote.example",
                ]
            )
            #expect(try await rig.releasedBodies() == [7])
            #expect(try await rig.notifications().isEmpty)
        }
    }

    /// Every field of the envelope comes to the agent as it was given.
    @Test(arguments: TestEngine.allCases)
    func keepsTheEnvelope(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            var message = rig.message(from: "\"anne martin\"@demo.example", returning: .full)
            message.envelopeID = "QQ314159"
            message.requirements = [.eightBit, .smtpUTF8]
            message.language = .english
            let recipient = QueuedRecipient(
                forwardPath: try #require(EmailAddress(parsing: "élise@remote.example")),
                originalRecipient: "utf-8;élise@old.example",
                notify: [.success, .delay],
                destination: "smarthost"
            )
            let (sent, queue) = (message, rig.queue)
            try await rig.database.write { try queue.enqueue(sent, to: [recipient], in: $0) }
            await rig.scheduler().pass()
            let attempt = try #require(rig.agent.attempts.first)
            #expect(attempt.message == message)
            #expect(attempt.recipients.map(\.path) == [recipient])
            #expect(attempt.destination == "smarthost")
        }
    }

    /// Attempts fall at 0, 5, 15, 35, 75 minutes and so on, up to an eighth later.
    @Test(arguments: TestEngine.allCases)
    func triesAgainBySchedule(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            rig.agent.answer { _ in .deferred(.busy, scope: .recipient) }
            try await rig.enqueue(to: ["b@remote.example"])
            let scheduler = rig.scheduler()
            await scheduler.pass()
            for (attempt, minutes) in zip(1..., [5, 10, 20, 40] as [Int64]) {
                rig.clock.advance(milliseconds: minutes * 60_000 - 1)
                await scheduler.pass()
                #expect(rig.agent.attempts.count == attempt)
                rig.clock.advance(milliseconds: 1 + minutes * 7_500)
                await scheduler.pass()
                #expect(rig.agent.attempts.count == attempt + 1)
            }
            #expect(try await rig.states() == ["b@remote.example": .deferred])
            let shown = try #require(try await rig.queue.list().first?.recipients.first)
            #expect(shown.lastReply == .busy)
            #expect(shown.attempts == 5)
        }
    }

    @Test(arguments: TestEngine.allCases)
    func warnsOnceThenGivesUp(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            rig.agent.answer { _ in .deferred(.busy, scope: .recipient) }
            try await rig.enqueue(to: ["b@remote.example"])
            let scheduler = rig.scheduler()
            for _ in 0..<23 {
                await scheduler.pass()
                rig.clock.advance(minutes: 10)
            }
            #expect(try await rig.notifications().isEmpty)
            for _ in 0..<(6 * 24 * 6) {
                await scheduler.pass()
                rig.clock.advance(minutes: 10)
            }
            let texts = try await rig.notifications()
            #expect(texts.count == 2)
            #expect(texts.first?.contains("Action: delayed") == true)
            #expect(texts.first?.contains("Status: 4.2.1") == true)
            #expect(texts.last?.contains("Action: failed") == true)
            #expect(texts.last?.contains("Status: 5.2.1") == true)
            #expect(try await rig.states().isEmpty)
        }
    }

    /// A bounce is told once, in one notification for the recipients that failed together.
    @Test(arguments: TestEngine.allCases)
    func tellsTheReversePathOnce(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            rig.agent.answer { _ in .bounced(.unknown) }
            try await rig.enqueue(to: ["b@remote.example", "c@remote.example"])
            let scheduler = rig.scheduler()
            await scheduler.pass()
            rig.clock.advance(minutes: 600)
            await scheduler.pass()
            let texts = try await rig.notifications()
            #expect(texts.count == 1)
            #expect(texts.first?.contains("Final-Recipient: rfc822; b@remote.example") == true)
            #expect(texts.first?.contains("Final-Recipient: rfc822; c@remote.example") == true)
            #expect(try await rig.releasedBodies() == [7])
        }
    }

    @Test(
        arguments: TestEngine.allCases,
        [
            ("<>", nil, AttemptResult.bounced(.unknown), 0),
            ("anne@demo.example", .never, .bounced(.unknown), 0),
            ("anne@demo.example", .success, .bounced(.unknown), 0),
            ("anne@demo.example", .failure, .bounced(.unknown), 1),
            ("anne@demo.example", nil, .relayed(.accepted, keepsDSN: false), 0),
            ("anne@demo.example", .success, .relayed(.accepted, keepsDSN: false), 1),
            ("anne@demo.example", .success, .relayed(.accepted, keepsDSN: true), 0),
            ("anne@demo.example", .success, .delivered(.accepted), 1),
            ("<>", .success, .delivered(.accepted), 0),
        ] as [(String, NotifyConditions?, AttemptResult, Int)]
    )
    func notifiesAsAsked(
        _ engine: TestEngine,
        _ example: (from: String, notify: NotifyConditions?, result: AttemptResult, notices: Int)
    ) async throws {
        try await withQueue(engine) { rig in
            rig.agent.answer { _ in example.result }
            try await rig.enqueue(
                rig.message(from: example.from),
                to: ["b@remote.example"],
                notify: example.notify
            )
            await rig.scheduler().pass()
            #expect(try await rig.notifications().count == example.notices)
            #expect(try await rig.states().isEmpty)
        }
    }

    /// When the notification cannot be prepared or written, the failure is kept, the message is not
    /// sent again, and the notification comes later, once.
    @Test(arguments: TestEngine.allCases)
    func owesWhatItCouldNotTell(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            rig.agent.answer { _ in .bounced(.unknown) }
            rig.outbox.become(.cannotPrepare)
            try await rig.enqueue(to: ["b@remote.example"])
            let scheduler = rig.scheduler()
            await scheduler.pass()
            #expect(try await rig.states() == ["b@remote.example": .failed])
            rig.outbox.become(.none)
            rig.clock.advance(minutes: 2)
            await scheduler.pass()
            #expect(try await rig.states().isEmpty)
            #expect(try await rig.notifications().count == 1)
            #expect(rig.agent.attempts.count == 1)
        }
    }

    /// A destination that is down is left in peace; an operator's retry wakes it.
    @Test(arguments: TestEngine.allCases)
    func restsADestinationThatIsDown(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            rig.agent.answer { _ in .deferred(.unreachable, scope: .destination) }
            let scheduler = rig.scheduler()
            try await rig.enqueue(to: ["b@remote.example"])
            await scheduler.pass()
            try await rig.enqueue(to: ["c@remote.example", "d@other.example"])
            await scheduler.pass()
            #expect(rig.agent.attempts.map(\.destination) == ["remote.example", "other.example"])
            rig.clock.advance(milliseconds: 30_000)
            await scheduler.pass()
            #expect(rig.agent.attempts.count == 3)
            #expect(rig.agent.attempts.last?.recipients.first?.path.forwardPath.localPart == "c")
        }
    }

    @Test(arguments: TestEngine.allCases)
    func keepsItsLimits(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            rig.agent.answer { attempt in
                try? await Task.sleep(for: .milliseconds(2))
                return .relayed(.accepted, keepsDSN: true)
            }
            for number in 0..<60 {
                try await rig.enqueue(to: ["r\(number)@d\(number % 3).example"])
            }
            var limits = QueueScheduler.Limits()
            limits.attempts = 8
            limits.attemptsPerDestination = 4
            await rig.scheduler(limits: limits).pass()
            #expect(rig.agent.attempts.count == 60)
            #expect(rig.agent.most <= 8)
            #expect(rig.agent.mostPerDestination <= 4)
            #expect(rig.agent.mostPerDestination > 1)
            #expect(try await rig.states().isEmpty)
        }
    }

    /// A busy destination does not stand in the way of the others.
    @Test(arguments: TestEngine.allCases)
    func servesEveryDestination(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            for number in 0..<50 { try await rig.enqueue(to: ["r\(number)@busy.example"]) }
            rig.clock.advance(milliseconds: 1)
            try await rig.enqueue(to: ["x@quiet.example"])
            var limits = QueueScheduler.Limits()
            limits.attemptsPerDestination = 2
            limits.dueRows = 10
            let scheduler = rig.scheduler(limits: limits)
            await scheduler.pass()
            #expect(rig.agent.attempts.contains { $0.destination == "quiet.example" })
            #expect(try await rig.states().isEmpty)
        }
    }

    /// An enqueue wakes a running scheduler without waiting for its poll, and `stop` lets the
    /// attempts under way end.
    @Test(arguments: TestEngine.allCases)
    func wakesAndDrains(_ engine: TestEngine) async throws {
        try await withQueue(engine) { rig in
            let (reached, arrive) = AsyncStream.makeStream(of: Void.self)
            let (allowed, allow) = AsyncStream.makeStream(of: Void.self)
            rig.agent.answer { _ in
                arrive.yield()
                for await _ in allowed { break }
                return .relayed(.accepted, keepsDSN: true)
            }
            var limits = QueueScheduler.Limits()
            limits.pollMilliseconds = 3_600_000
            let scheduler = rig.scheduler(limits: limits)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await scheduler.run() }
                try await rig.enqueue(to: ["b@remote.example"])
                for await _ in reached { break }
                scheduler.stop()
                allow.yield()
                try await group.next()
            }
            #expect(try await rig.states().isEmpty)
        }
    }

    /// However early the end comes, and by whichever way.
    @Test(arguments: 0..<40)
    func endsWheneverItIsTold(round: Int) async throws {
        try await withQueue(.sqlite) { rig in
            let scheduler = rig.scheduler()
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await scheduler.run() }
                for _ in 0..<(round / 2) { await Task.yield() }
                if round.isMultiple(of: 2) { scheduler.stop() } else { group.cancelAll() }
            }
        }
    }
}
