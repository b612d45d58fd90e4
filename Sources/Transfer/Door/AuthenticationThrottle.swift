package import Net
import Synchronization

/// Slows down, then shuts out, client addresses that fail to authenticate again and again.
///
/// Counts by IPv4 address and IPv6 /64. Holds at most `Limits.clients` entries: when full, the one
/// that failed longest ago makes room.
package final class AuthenticationThrottle: Sendable {
    package struct Limits: Sendable {
        /// Failures answered without delay.
        package var freeFailures = 3
        /// Failures after which the client is shut out for `window`.
        package var failures = 20
        /// The delay after the free failures; doubles with each one more.
        package var delay: Duration = .seconds(1)
        package var longestDelay: Duration = .seconds(8)
        /// Milliseconds after which a failure is forgotten.
        package var window: Int64 = 600_000
        package var clients = 10_000

        package init() {}
    }

    private struct Entry {
        var failures: Int
        var last: Int64
    }

    private let limits: Limits
    /// Unix milliseconds.
    private let clock: @Sendable () -> Int64
    private let entries = Mutex<[IPNetwork: Entry]>([:])

    package init(limits: Limits = Limits(), clock: @escaping @Sendable () -> Int64) {
        self.limits = limits
        self.clock = clock
    }

    /// True when `client` has failed too often to be heard.
    package func isShutOut(_ client: IPAddress?) -> Bool {
        guard let network = client.map(Self.network) else { return false }
        let now = clock()
        return entries.withLock { entries in
            guard let entry = entries[network], now - entry.last < limits.window else {
                return false
            }
            return entry.failures >= limits.failures
        }
    }

    /// Counts a failure and says how long its reply must wait.
    package func failed(_ client: IPAddress?) -> Duration {
        guard let network = client.map(Self.network) else { return .zero }
        let now = clock()
        let failures = entries.withLock { entries in
            var entry = entries[network] ?? Entry(failures: 0, last: now)
            if now - entry.last >= limits.window { entry.failures = 0 }
            entry.failures += 1
            entry.last = now
            if entries[network] == nil, entries.count >= limits.clients {
                evict(from: &entries, now: now)
            }
            entries[network] = entry
            return entry.failures
        }
        guard failures > limits.freeFailures else { return .zero }
        let doublings = min(failures - limits.freeFailures - 1, 16)
        return min(limits.delay * (1 << doublings), limits.longestDelay)
    }

    /// Forgets the failures of a client that has authenticated.
    package func succeeded(_ client: IPAddress?) {
        guard let network = client.map(Self.network) else { return }
        entries.withLock { $0[network] = nil }
    }

    private func evict(from entries: inout [IPNetwork: Entry], now: Int64) {
        entries = entries.filter { now - $0.value.last < limits.window }
        guard entries.count >= limits.clients,
            let oldest = entries.min(by: { $0.value.last < $1.value.last })
        else { return }
        entries[oldest.key] = nil
    }

    private static func network(of client: IPAddress) -> IPNetwork {
        IPNetwork(client, prefixLength: client.isIPv6 ? 64 : 32)
    }
}
