package import Mail
import Synchronization

/// Tells sessions of this process that a mailbox has changed.
///
/// A notice carries nothing: whoever is woken asks for the state since the one it knows, so a lost
/// or doubled notice does no harm. A mutex and not an actor: notices come from the engine's threads.
package final class ChangeFeed: Sendable {
    private struct State {
        var next = 0
        var watchers: [MailboxID: [Int: @Sendable () -> Void]] = [:]
    }

    private let state = Mutex(State())

    /// Calls `wake` after every change of `mailbox` until the watch is cancelled or released.
    ///
    /// `wake` is called on any thread and must return at once.
    package func watch(_ mailbox: MailboxID, wake: @escaping @Sendable () -> Void) -> Watch {
        let number = state.withLock { state in
            state.next += 1
            state.watchers[mailbox, default: [:]][state.next] = wake
            return state.next
        }
        return Watch(feed: self, mailbox: mailbox, number: number)
    }

    func tell(_ mailbox: MailboxID) {
        let watchers = state.withLock { $0.watchers[mailbox].map { Array($0.values) } ?? [] }
        for wake in watchers { wake() }
    }

    func tellAll() {
        let watchers = state.withLock { $0.watchers.values.flatMap(\.values) }
        for wake in watchers { wake() }
    }

    fileprivate func end(_ mailbox: MailboxID, _ number: Int) {
        state.withLock { state in
            state.watchers[mailbox]?[number] = nil
            if state.watchers[mailbox]?.isEmpty == true { state.watchers[mailbox] = nil }
        }
    }

    /// One session's interest in one mailbox.
    package final class Watch: Sendable {
        private let feed: ChangeFeed
        private let mailbox: MailboxID
        private let number: Int

        fileprivate init(feed: ChangeFeed, mailbox: MailboxID, number: Int) {
            self.feed = feed
            self.mailbox = mailbox
            self.number = number
        }

        package func cancel() { feed.end(mailbox, number) }

        deinit { cancel() }
    }
}
