import Net
import Synchronization

/// Sessions that wait for the next message to the same host.
///
/// A mutex and not an actor: nothing here waits.
final class SessionPool: Sendable {
    /// What two sessions must share so that one can do the other's work.
    struct Key: Hashable, Sendable {
        let endpoint: Endpoint
        let hostName: String
        let hop: NextHop
    }

    private struct Idle {
        let session: RelaySession
        /// Milliseconds of the pool's clock.
        let since: Int64
    }

    private struct State {
        var idle: [Key: [Idle]] = [:]
        var count = 0
    }

    private let state = Mutex(State())
    private let limit: Int
    private let limitPerHost: Int
    private let milliseconds: Int64

    init(limit: Int, limitPerHost: Int, milliseconds: Int64) {
        self.limit = limit
        self.limitPerHost = limitPerHost
        self.milliseconds = milliseconds
    }

    /// The session used last, for as long as it may be kept.
    func take(_ key: Key, at now: Int64) -> RelaySession? {
        state.withLock { state in
            guard let last = state.idle[key]?.last, now - last.since < milliseconds else {
                return nil
            }
            state.idle[key]?.removeLast()
            if state.idle[key]?.isEmpty == true { state.idle[key] = nil }
            state.count -= 1
            return last.session
        }
    }

    /// Keeps a session; false when there is no room, and the caller closes it.
    func keep(_ session: RelaySession, _ key: Key, at now: Int64) -> Bool {
        state.withLock { state in
            guard state.count < limit, state.idle[key, default: []].count < limitPerHost else {
                return false
            }
            state.idle[key, default: []].append(Idle(session: session, since: now))
            state.count += 1
            return true
        }
    }

    /// Takes out the sessions whose time is up; all of them when `now` is nil.
    func takeExpired(at now: Int64?) -> [RelaySession] {
        state.withLock { state in
            var expired: [RelaySession] = []
            for (key, sessions) in state.idle {
                let kept = sessions.filter { idle in
                    now.map { $0 - idle.since < milliseconds } ?? false
                }
                let dropped = sessions.prefix(sessions.count - kept.count)
                expired += dropped.map(\.session)
                state.idle[key] = kept.isEmpty ? nil : kept
            }
            state.count -= expired.count
            return expired
        }
    }
}
