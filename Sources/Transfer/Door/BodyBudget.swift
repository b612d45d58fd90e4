import Synchronization

/// How many octets of messages all doors may hold in memory at one time.
///
/// A mutex and not an actor: nothing here waits.
package final class BodyBudget: Sendable {
    /// Octets.
    package let limit: Int
    private let held = Mutex(0)

    package init(limit: Int = 536_870_912) {
        self.limit = limit
    }

    /// Octets held now.
    package var heldOctets: Int { held.withLock { $0 } }

    /// Changes a lease from `old` to `new` octets; false, and nothing changed, when more was asked
    /// than is free.
    func change(from old: Int, to new: Int) -> Bool {
        held.withLock { held in
            guard new <= old || held - old + new <= limit else { return false }
            held += new - old
            return true
        }
    }
}

/// One session's part of the budget.
///
/// What is still held when it is dropped goes back.
struct BodyLease: ~Copyable {
    private let budget: BodyBudget
    private var octets = 0

    init(_ budget: BodyBudget) {
        self.budget = budget
    }

    /// Grows to `new` octets, never shrinks; false when there is no room.
    mutating func grow(to new: Int) -> Bool {
        guard new > octets else { return true }
        guard budget.change(from: octets, to: new) else { return false }
        octets = new
        return true
    }

    mutating func release() {
        _ = budget.change(from: octets, to: 0)
        octets = 0
    }

    deinit { _ = budget.change(from: octets, to: 0) }
}
