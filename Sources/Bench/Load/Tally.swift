import NIOCore
import Synchronization

/// A count and a moment that one task writes and another shows.
final class Tally: Sendable {
    private let state: Mutex<(count: Int, moment: NIODeadline)>

    init(_ moment: NIODeadline) {
        state = Mutex((0, moment))
    }

    var progress: Int { state.withLock { $0.count } }
    var deadline: NIODeadline { state.withLock { $0.moment } }

    func add(_ count: Int) { state.withLock { $0.count += count } }
    func set(_ moment: NIODeadline) { state.withLock { $0.moment = moment } }
}

/// Connections handed from the task that opens them to the one that waits for it.
final class Opened: Sendable {
    private let state = Mutex<[IMAPClient]>([])

    var clients: [IMAPClient] { state.withLock { $0 } }

    func set(_ clients: [IMAPClient]) { state.withLock { $0 = clients } }
}
