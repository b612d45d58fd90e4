import Synchronization

/// How many connections there are, and how many each client network holds.
///
/// A mutex and not an actor: nothing here waits, and accepting must not queue behind a task hop.
final class ConnectionCounts: Sendable {
    private struct State {
        var total = 0
        var held: [IPNetwork: Int] = [:]
    }

    private let state = Mutex(State())

    /// A client's network: one IPv4 address, or the /64 that one IPv6 customer gets.
    static func network(of address: IPAddress) -> IPNetwork {
        IPNetwork(address, prefixLength: address.isIPv6 ? 64 : 32)
    }

    /// Takes one of `limit` places in all; false when none is left.
    func take(limit: Int) -> Bool {
        state.withLock { state in
            guard state.total < limit else { return false }
            state.total += 1
            return true
        }
    }

    func release() {
        state.withLock { $0.total -= 1 }
    }

    /// Takes a place for `network`; false when it already holds `limit`.
    func take(for network: IPNetwork, limit: Int) -> Bool {
        state.withLock { state in
            guard state.held[network, default: 0] < limit else { return false }
            state.held[network, default: 0] += 1
            return true
        }
    }

    func release(for network: IPNetwork) {
        state.withLock { state in
            guard let count = state.held[network] else { return }
            state.held[network] = count > 1 ? count - 1 : nil
        }
    }
}
