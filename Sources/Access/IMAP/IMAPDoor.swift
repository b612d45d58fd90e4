package import Directory
package import Journal
package import Net
package import Store
import IMAP
import Mail
import Synchronization

/// The IMAP server: one child task per connection, whose session is a value of that task.
///
/// RFC 9051 §3, RFC 3501 §3
package final class IMAPDoor: Sendable {
    let settings: IMAPSettings
    let store: Store
    let directory: Directory
    let journal: Journal
    /// Unix milliseconds.
    let clock: @Sendable () -> Int64
    /// That many random bytes.
    let random: @Sendable (Int) -> [UInt8]
    let sessions = SessionCounts()
    let held: HeldBytes

    package init(
        settings: IMAPSettings,
        store: Store,
        directory: Directory,
        journal: Journal,
        clock: @escaping @Sendable () -> Int64,
        random: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.settings = settings
        self.store = store
        self.directory = directory
        self.journal = journal
        self.clock = clock
        self.random = random
        held = HeldBytes(limit: settings.heldBytes)
    }

    /// Serves one connection to its end.
    package func serve(_ connection: Connection, cleartextLogin: CleartextLogin) async {
        var session = IMAPSession(self, connection, cleartextLogin)
        await session.run()
        session.leave()
    }

    /// What a client is told that is turned away before it is served.
    package static func farewell(_ refusal: Net.Refusal) -> [UInt8] {
        var writer = ResponseWriter()
        switch refusal {
        case .tooManyConnections: writer.bye(.unavailable, "Too many connections")
        case .tooManyFromClient: writer.bye(.limit, "Too many connections from your address")
        }
        return writer.drain()
    }
}

/// How many sessions each account holds.
final class SessionCounts: Sendable {
    private let counts = Mutex<[AccountID: Int]>([:])

    /// Counts one more; false, and nothing counted, at the limit.
    func enter(_ account: AccountID, limit: Int) -> Bool {
        counts.withLock { counts in
            guard counts[account, default: 0] < limit else { return false }
            counts[account, default: 0] += 1
            return true
        }
    }

    func leave(_ account: AccountID) {
        counts.withLock { counts in
            guard let count = counts[account] else { return }
            counts[account] = count > 1 ? count - 1 : nil
        }
    }
}

/// The memory that messages being appended may take, over all sessions.
final class HeldBytes: Sendable {
    private let limit: Int
    private let used = Mutex(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// False, and nothing taken, when the limit would be passed.
    func take(_ count: Int) -> Bool {
        used.withLock { used in
            guard count <= limit - used else { return false }
            used += count
            return true
        }
    }

    func giveBack(_ count: Int) {
        used.withLock { $0 -= count }
    }
}
