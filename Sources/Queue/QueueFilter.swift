import Database
package import Mail

/// Which recipients an operator means; what is nil does not narrow the choice.
package struct QueueFilter: Sendable, Equatable {
    package var queueID: String?
    package var state: RecipientState?
    /// As in `QueuedRecipient.destination`.
    package var destination: String?
    package var reversePath: ReversePath?
    package var forwardPath: EmailAddress?

    package init(
        queueID: String? = nil,
        state: RecipientState? = nil,
        destination: String? = nil,
        reversePath: ReversePath? = nil,
        forwardPath: EmailAddress? = nil
    ) {
        self.queueID = queueID
        self.state = state
        self.destination = destination?.lowercased()
        self.reversePath = reversePath
        self.forwardPath = forwardPath
    }

    /// Conditions on `queue_message m` and `queue_recipient r`, placeholders from `first`.
    func conditions(from first: Int) -> (sql: String, values: [SQLValue]) {
        var conditions: [String] = []
        var values: [SQLValue] = []
        func add(_ column: String, _ value: some SQLConvertible) {
            conditions.append("\(column) = $\(first + values.count)")
            values.append(value.sqlValue)
        }
        if let queueID { add("m.queue_id", queueID) }
        if let state { add("r.state", state.rawValue) }
        if let destination { add("r.destination", destination) }
        if let reversePath { add("m.reverse_path", PathText.text(reversePath)) }
        if let forwardPath { add("r.forward_path", PathText.text(forwardPath)) }
        return (conditions.isEmpty ? "1 = 1" : conditions.joined(separator: " AND "), values)
    }
}

/// A message in the queue, as operators see it.
package struct QueueEntry: Sendable {
    package let message: QueuedMessage
    /// When it is given up; Unix milliseconds.
    package let expiry: Int64
    package let recipients: [Recipient]
    /// What `Queue.list(after:)` wants, to go on behind this entry.
    package let position: QueuePosition

    package struct Recipient: Sendable {
        package let path: QueuedRecipient
        package let state: RecipientState
        /// Unix milliseconds; nil while held or under way.
        package let nextAttempt: Int64?
        /// The node and run that works on it now.
        package let lease: String?
        package let attempts: Int
        package let lastAttempt: Int64?
        package let lastReply: NextHopReply?
    }
}

/// A place in the listing of the queue.
package struct QueuePosition: Sendable, Hashable {
    let id: Int64
}

/// How many recipients wait for one destination in one state.
package struct DestinationCount: Sendable, Hashable {
    package let destination: String
    package let state: RecipientState
    package let recipients: Int
    /// Of these, how many are being attempted.
    package let underWay: Int
    /// The soonest next attempt, in Unix milliseconds; nil when held.
    package let nextAttempt: Int64?
}

/// Whether deleting from the queue tells the reverse-path.
package enum DeletionNotice: Sendable {
    /// The recipients become failed, and the scheduler sends the notification.
    case notify
    case silent
}
