import Filter
import Journal
import Logging
import Testing

@Suite struct FilterTests {
    /// An engine that says what it is told to, after a while.
    private struct Engine: ContentEngine {
        let name: String
        let verdict: EngineVerdict
        var delay = Duration.zero

        func scan(_ message: [UInt8], within budget: Duration) async -> EngineVerdict {
            do { try await Task.sleep(for: delay) } catch { return .failed(.cutOff) }
            return verdict
        }
    }

    private static let journal = Journal(
        log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    )

    private func judge(_ members: Filter.Member...) async -> Verdict {
        await Filter(members, journal: Self.journal)
            .judge([0x78], queueID: "q", client: "192.0.2.1")
    }

    private static let clean = Filter.Member(Engine(name: "a", verdict: .clean))
    private static let hit = Filter.Member(Engine(name: "b", verdict: .infected("Evil")))
    private static let down = Filter.Member(Engine(name: "c", verdict: .failed(.unreachable)))
    private static let optional = Filter.Member(
        Engine(name: "d", verdict: .failed(.cutOff)),
        isOptional: true
    )
    private static let finding = Finding(engine: "b", name: "Evil")
    private static let outage = Outage(engine: "c", failure: .unreachable)

    @Test("any finding rejects, any failure defers, an optional engine's failure does not count")
    func policy() async {
        #expect(await judge() == .accept)
        #expect(await judge(Self.clean) == .accept)
        #expect(await judge(Self.clean, Self.hit) == .reject([Self.finding]))
        #expect(await judge(Self.clean, Self.down) == .defer([Self.outage]))
        #expect(await judge(Self.clean, Self.optional) == .accept)
        #expect(await judge(Self.optional) == .accept)
        #expect(await judge(Self.optional, Self.down) == .defer([Self.outage]))
    }

    @Test("a finding wins over a failure, whichever is first", arguments: [0, 50])
    func findingWins(milliseconds: Int) async {
        let late = Filter.Member(
            Engine(name: "b", verdict: .infected("Evil"), delay: .milliseconds(milliseconds))
        )
        #expect(await judge(Self.down, late) == .reject([Self.finding]))
        #expect(await judge(late, Self.down) == .reject([Self.finding]))
    }

    @Test("engines run side by side, and the first finding ends the wait")
    func sideBySide() async {
        let slow = Engine(name: "slow", verdict: .clean, delay: .seconds(60))
        let start = ContinuousClock.now
        let verdict = await judge(Filter.Member(slow), Self.hit)
        #expect(verdict == .reject([Self.finding]))
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test("an engine that does not watch the clock is stopped at its budget")
    func budget() async {
        let slow = Engine(name: "slow", verdict: .clean, delay: .seconds(60))
        let start = ContinuousClock.now
        let verdict = await judge(Filter.Member(slow, budget: .milliseconds(100)), Self.clean)
        #expect(verdict == .defer([Outage(engine: "slow", failure: .timedOut)]))
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}
