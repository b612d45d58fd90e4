/// When a deferred recipient is tried again, warned about and given up.
///
/// All times are milliseconds. The waits are counted from the end of the attempt, the warning and
/// the end from the message's arrival.
///
/// RFC 5321 §4.5.4.1
package struct RetrySchedule: Sendable, Equatable {
    /// The wait after the first attempt, the second and so on; the last one repeats.
    package let waits: [Int64]
    /// Age at which a recipient that still waits is given up.
    package let lifetime: Int64
    /// Age of a notification's own mail at which it is given up.
    package let notificationLifetime: Int64
    /// Age at which the reverse-path is warned, once.
    package let warning: Int64

    /// Nil when a wait is not positive or there is none, or when the lifetimes are not positive.
    package init?(
        waits: [Int64],
        lifetime: Int64,
        notificationLifetime: Int64? = nil,
        warning: Int64
    ) {
        guard !waits.isEmpty, waits.allSatisfy({ $0 > 0 }), lifetime > 0, warning > 0,
            notificationLifetime ?? 1 > 0
        else { return nil }
        self.waits = waits
        self.lifetime = lifetime
        self.notificationLifetime = notificationLifetime ?? min(lifetime, 2 * 86_400_000)
        self.warning = warning
    }

    private init() {
        let minute: Int64 = 60_000
        waits = [5, 10, 20, 40, 80, 160, 240].map { $0 * minute }
        lifetime = 5 * 24 * 60 * minute
        notificationLifetime = 2 * 24 * 60 * minute
        warning = 4 * 60 * minute
    }

    /// 5, 10, 20, 40, 80, 160, then every 240 minutes; warned after 4 hours, given up after 5 days.
    package static let standard = RetrySchedule()

    /// The wait after attempt number `attempts`, counted from 1.
    package func wait(afterAttempt attempts: Int) -> Int64 {
        waits[min(max(attempts, 1), waits.count) - 1]
    }

    /// The time of the next attempt, a random eighth later at most so that messages deferred
    /// together do not all come back in the same instant.
    ///
    /// The last attempt falls on the expiry, so that no message is given up without a try at its
    /// very end.
    package func nextAttempt(
        afterAttempt attempts: Int,
        at now: Int64,
        expiry: Int64,
        jitter: UInt64
    ) -> Int64 {
        let wait = wait(afterAttempt: attempts)
        let extra = Int64(jitter % UInt64(wait / 8 + 1))
        return max(min(now + wait + extra, expiry), now + 1)
    }
}
