import Net
import Synchronization
import Testing

@testable import Transfer

@Suite("Parts of the doors")
struct DoorPartTests {
    // RFC 3848, RFC 6531 §4.3
    @Test(arguments: [
        ("SMTP", false, false, false, false, false), ("ESMTP", false, true, false, false, false),
        ("ESMTPS", false, true, true, false, false), ("ESMTPA", false, true, false, true, false),
        ("ESMTPSA", false, true, true, true, false), ("LMTP", true, true, false, false, false),
        ("LMTPS", true, true, true, false, false), ("UTF8SMTP", false, true, false, false, true),
        ("UTF8SMTPSA", false, true, true, true, true), ("UTF8LMTP", true, true, false, false, true),
    ])
    func protocolWord(
        _ word: String,
        _ isLMTP: Bool,
        _ isExtended: Bool,
        _ isSecure: Bool,
        _ isAuthenticated: Bool,
        _ usesSMTPUTF8: Bool
    ) {
        #expect(
            Reception.word(
                isLMTP: isLMTP,
                isExtended: isExtended,
                isSecure: isSecure,
                isAuthenticated: isAuthenticated,
                usesSMTPUTF8: usesSMTPUTF8
            ) == word
        )
    }

    @Test func queueIDsSortByTime() {
        let early = QueueID.make(now: 1_700_000_000_000, random: [255, 255, 255, 255])
        let late = QueueID.make(now: 1_700_000_000_001, random: [0, 0, 0, 0])
        #expect(early < late)
        #expect(early.utf8.count == 13)
        #expect(QueueID.make(now: -1, random: []).utf8.count == 13)
    }

    @Test func failuresSlowDownAndShutOut() throws {
        let time = Mutex<Int64>(0)
        var limits = AuthenticationThrottle.Limits()
        limits.failures = 6
        let throttle = AuthenticationThrottle(limits: limits, clock: { time.withLock { $0 } })
        let client = try #require(IPAddress("192.0.2.1"))
        let delays = (0..<5).map { _ in throttle.failed(client) }
        #expect(delays == [.zero, .zero, .zero, .seconds(1), .seconds(2)])
        #expect(!throttle.isShutOut(client))
        _ = throttle.failed(client)
        #expect(throttle.isShutOut(client))
        #expect(!throttle.isShutOut(IPAddress("192.0.2.2")))
        time.withLock { $0 = limits.window }
        #expect(!throttle.isShutOut(client))
        #expect(throttle.failed(client) == .zero)
    }

    @Test func neighboursInAnIPv6NetworkCountAsOne() throws {
        var limits = AuthenticationThrottle.Limits()
        limits.failures = 1
        let throttle = AuthenticationThrottle(limits: limits, clock: { 0 })
        _ = throttle.failed(IPAddress("2001:db8::1"))
        #expect(throttle.isShutOut(IPAddress("2001:db8::ffff")))
        #expect(!throttle.isShutOut(IPAddress("2001:db8:0:1::1")))
    }

    @Test func theTableOfFailuresIsBounded() throws {
        let time = Mutex<Int64>(0)
        var limits = AuthenticationThrottle.Limits()
        limits.failures = 1
        limits.clients = 10
        let throttle = AuthenticationThrottle(limits: limits, clock: { time.withLock { $0 } })
        let clients = (0..<20).compactMap { IPAddress("192.0.2.\($0)") }
        for client in clients {
            time.withLock { $0 += 1 }
            _ = throttle.failed(client)
        }
        #expect(clients.filter { throttle.isShutOut($0) } == Array(clients.suffix(10)))
    }

    @Test func leasesGoBackToTheBudget() {
        let budget = BodyBudget(limit: 100)
        do {
            var lease = BodyLease(budget)
            var other = BodyLease(budget)
            let grown = [
                lease.grow(to: 60), lease.grow(to: 10), lease.grow(to: 101), other.grow(to: 41),
                other.grow(to: 40),
            ]
            #expect(grown == [true, true, false, false, true])
            #expect(budget.heldOctets == 100)
            other.release()
            #expect(budget.heldOctets == 60)
        }
        #expect(budget.heldOctets == 0)
    }
}
