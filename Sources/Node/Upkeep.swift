import Database
import Queue
package import Store

/// What a node does beside serving: removing what was expunged long enough ago, and bodies that
/// nobody names any more.
///
/// Every node does it; two at once do no harm.
package struct Upkeep: Sendable {
    private let platform: Platform

    package init(_ platform: Platform) {
        self.platform = platform
    }

    /// Time between two rounds.
    static let pause: Duration = .seconds(3_600)

    /// Works until cancelled.
    func run() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: Self.pause)
                let purged = try await purge(
                    olderThanDays: platform.settings.mail.keepExpungedDays
                )
                let swept = try await sweep()
                platform.log.info(
                    """
                    upkeep: \(purged.messages) messages and \(purged.mailboxes) mailboxes purged, \
                    \(swept.bodies) bodies and \(swept.blobs) files swept
                    """
                )
            } catch is CancellationError {
                return
            } catch {
                platform.log.warning("upkeep: \(error)")
            }
        }
    }

    /// Removes for good what was expunged or deleted more than that many days ago.
    package func purge(olderThanDays days: Int) async throws(StoreError) -> PurgeResult {
        try await platform.store.purge(before: Platform.clock() - Int64(days) * 86_400_000)
    }

    /// Removes bodies that neither a mailbox nor the queue names.
    func sweep() async throws(StoreError) -> SweepResult {
        let queue = platform.queue
        return try await platform.store.sweepBodies { reader, body in
            try !queue.bodiesInUse(among: [body.rawValue], in: reader).isEmpty
        }
    }
}
