/// Where a recipient stands; docs/internals/queue.md has the table of states and transitions.
///
/// The raw values are what the column `queue_recipient.state` holds.
package enum RecipientState: Int64, CaseIterable, Sendable {
    /// Accepted, not tried yet.
    case ready = 0
    /// Tried without success, to be tried again.
    case deferred = 1
    /// Kept back by an operator until released.
    case held = 2
    /// Failed for good; the reverse-path has not been told yet.
    case failed = 3
    /// The next hop has it; the reverse-path wants to hear and has not been told yet.
    case relayed = 4
    /// Finally delivered; the reverse-path wants to hear and has not been told yet.
    case delivered = 5

    package var name: String {
        switch self {
        case .ready: "ready"
        case .deferred: "deferred"
        case .held: "held"
        case .failed: "failed"
        case .relayed: "relayed"
        case .delivered: "delivered"
        }
    }

    /// The state called `name`, as operators type it.
    package init?(name: String) {
        guard let state = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = state
    }

    /// True while the message still has to go out for this recipient.
    var awaitsAttempt: Bool {
        switch self {
        case .ready, .deferred, .held: true
        case .failed, .relayed, .delivered: false
        }
    }
}
