import Synchronization

/// A bounded table of answers that are true for a while.
///
/// Two halves: when the young one is full it becomes the old one, and what nobody asked for since
/// is dropped with the next turn. An answer found before a change, but kept after it, would be
/// stale: `put` takes the epoch at which the question was asked and drops it when that has passed.
final class ExpiringCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct State {
        var epoch = 0
        var young: [Key: (value: Value, expires: Int64)] = [:]
        var old: [Key: (value: Value, expires: Int64)] = [:]
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let lifetime: Int64

    /// Keeps up to `capacity` answers for `lifetime` milliseconds each.
    init(capacity: Int, lifetime: Int64) {
        self.capacity = max(2, capacity)
        self.lifetime = lifetime
    }

    /// Ask for this before asking the database.
    var epoch: Int { state.withLock { $0.epoch } }

    func value(for key: Key, at now: Int64) -> Value? {
        state.withLock { state in
            if let entry = state.young[key] { return entry.expires > now ? entry.value : nil }
            guard let entry = state.old[key], entry.expires > now else { return nil }
            state.young[key] = entry
            return entry.value
        }
    }

    func put(_ value: Value, for key: Key, at now: Int64, epoch: Int) {
        state.withLock { state in
            guard state.epoch == epoch else { return }
            if state.young.count >= capacity / 2 {
                state.old = state.young
                state.young = [:]
            }
            state.young[key] = (value, now + lifetime)
        }
    }

    func clear() {
        state.withLock { state in
            state.epoch += 1
            state.young = [:]
            state.old = [:]
        }
    }
}
