import Histogram
import NIOCore
import Synchronization

/// What a run has measured so far; shared by all its sessions.
final class Recorder: Sendable {
    struct Figures: Sendable {
        var latencies = Histogram<UInt64>(
            highestTrackableValue: 600_000_000,
            numberOfSignificantValueDigits: .three
        )
        var items = 0
        var bytes = 0
        var failures = 0
        /// Some of the answers that made failures.
        var complaints: [String] = []
    }

    private let figures = Mutex(Figures())

    /// At most this many complaints are kept.
    static let mostComplaints = 5

    /// Counts one finished item that was begun at `start`.
    func finish(since start: NIODeadline, items: Int = 1, bytes: Int = 0) {
        let microseconds = UInt64(max(0, (NIODeadline.now() - start).nanoseconds / 1000))
        figures.withLock {
            _ = $0.latencies.record(min(microseconds, 600_000_000))
            $0.items += items
            $0.bytes += bytes
        }
    }

    func fail(_ complaint: String) {
        figures.withLock {
            $0.failures += 1
            if $0.complaints.count < Self.mostComplaints, !$0.complaints.contains(complaint) {
                $0.complaints.append(complaint)
            }
        }
    }

    /// A copy of everything measured so far.
    var now: Figures { figures.withLock { $0 } }

    /// Items and failures so far: what progress is made of.
    var done: Int { figures.withLock { $0.items + $0.failures } }
}
