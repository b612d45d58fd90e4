import NIOCore
import Synchronization

/// How much work a run does: a number of items, or as many as fit in a time.
package enum Amount: Sendable {
    case count(Int)
    case duration(seconds: Int)
}

/// Hands the numbered items of a run to its sessions, each number once.
final class Plan: Sendable {
    private struct State {
        var next = 0
        var deadline: NIODeadline?
    }

    private let amount: Amount
    private let state = Mutex(State())

    init(_ amount: Amount) {
        self.amount = amount
    }

    /// The next item's number, or nil when the run is over.
    ///
    /// A duration begins with the first call.
    func take() -> Int? {
        state.withLock { state in
            switch amount {
            case .count(let count):
                guard state.next < count else { return nil }
            case .duration(let seconds):
                let now = NIODeadline.now()
                let deadline = state.deadline ?? now + .seconds(Int64(seconds))
                state.deadline = deadline
                guard now < deadline else { return nil }
            }
            defer { state.next += 1 }
            return state.next
        }
    }

    /// How many items have been handed out.
    var taken: Int { state.withLock { $0.next } }

    /// How many there will be, when that is known.
    var total: Int? {
        if case .count(let count) = amount { count } else { nil }
    }
}
