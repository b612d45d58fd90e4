import Queue
import Testing

@Suite("Retry schedule")
struct RetryScheduleTests {
    private static let minute: Int64 = 60_000

    /// 5, 10, 20, 40, 80, 160 minutes, then every four hours.
    @Test(arguments: zip(1...9, [5, 10, 20, 40, 80, 160, 240, 240, 240] as [Int64]))
    func waitsLongerEachTime(attempt: Int, minutes: Int64) {
        #expect(RetrySchedule.standard.wait(afterAttempt: attempt) == minutes * Self.minute)
    }

    @Test(arguments: [0, 1, 17, UInt64.max])
    func spreadsAttemptsByAnEighthAtMost(jitter: UInt64) {
        let next = RetrySchedule.standard.nextAttempt(
            afterAttempt: 1,
            at: 1_000,
            expiry: .max,
            jitter: jitter
        )
        #expect((301_000...338_500).contains(next))
    }

    /// A message is tried once more at its very end, and an attempt never falls into the past.
    @Test func endsOnTheExpiry() {
        let schedule = RetrySchedule.standard
        #expect(
            schedule.nextAttempt(afterAttempt: 9, at: 100_000, expiry: 200_000, jitter: 5)
                == 200_000
        )
        #expect(
            schedule.nextAttempt(afterAttempt: 9, at: 300_000, expiry: 200_000, jitter: 5)
                == 300_001
        )
    }

    @Test func refusesWhatMakesNoSense() {
        #expect(RetrySchedule(waits: [], lifetime: 1, warning: 1) == nil)
        #expect(RetrySchedule(waits: [0], lifetime: 1, warning: 1) == nil)
        #expect(RetrySchedule(waits: [1], lifetime: 0, warning: 1) == nil)
    }
}
