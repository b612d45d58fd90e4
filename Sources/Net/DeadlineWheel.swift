import NIOCore
import Synchronization

/// Wakes connections whose time is up, for all connections of one event loop.
///
/// NIO's own timers cost an allocation each and a linear search to cancel; here a connection stands
/// in one bucket of a tenth of a second, and a deadline that moves later costs nothing until that
/// bucket is due. A connection may learn of its deadline up to one tick late, never early.
final class DeadlineWheel: Sendable {
    private struct State {
        var buckets: [Int64: [ObjectIdentifier: Connection]] = [:]
        var lastTick: Int64 = 0
        var isTurning = false

        mutating func remove(_ connection: Connection, from tick: Int64) {
            buckets[tick]?[ObjectIdentifier(connection)] = nil
            if buckets[tick]?.isEmpty == true { buckets[tick] = nil }
        }
    }

    static let tickNanoseconds: Int64 = 100_000_000

    private let loop: any EventLoop
    private let state = Mutex(State())

    init(loop: any EventLoop) {
        self.loop = loop
    }

    /// Puts `connection` into the bucket of `deadline`, leaving `oldTick`; returns the new tick.
    func watch(_ connection: Connection, until deadline: Deadline, leaving oldTick: Int64?) -> Int64
    {
        let (tick, mustStart) = state.withLock { state in
            let now = Deadline.now.nanoseconds / Self.tickNanoseconds
            if !state.isTurning { state.lastTick = max(state.lastTick, now - 1) }
            let due = (deadline.nanoseconds - 1) / Self.tickNanoseconds + 1
            let tick = max(due, state.lastTick + 1)
            if let oldTick, oldTick != tick { state.remove(connection, from: oldTick) }
            state.buckets[tick, default: [:]][ObjectIdentifier(connection)] = connection
            let mustStart = !state.isTurning
            state.isTurning = true
            return (tick, mustStart)
        }
        if mustStart { loop.execute { self.scheduleTurn() } }
        return tick
    }

    func forget(_ connection: Connection, in tick: Int64) {
        state.withLock { $0.remove(connection, from: tick) }
    }

    private func scheduleTurn() {
        loop.scheduleTask(in: .nanoseconds(Self.tickNanoseconds)) { self.turn() }
    }

    private func turn() {
        let (due, goesOn) = state.withLock { state in
            let now = Deadline.now.nanoseconds / Self.tickNanoseconds
            var due: [(Int64, [ObjectIdentifier: Connection])] = []
            while state.lastTick < now {
                state.lastTick += 1
                if let bucket = state.buckets.removeValue(forKey: state.lastTick) {
                    due.append((state.lastTick, bucket))
                }
            }
            state.isTurning = !state.buckets.isEmpty || !due.isEmpty
            return (due, state.isTurning)
        }
        for (tick, bucket) in due {
            for connection in bucket.values { connection.deadlineDue(tick: tick) }
        }
        if goesOn { scheduleTurn() }
    }
}

/// A moment of the monotonic clock.
struct Deadline: Comparable, Sendable {
    let nanoseconds: Int64

    static var now: Deadline {
        Deadline(nanoseconds: Int64(clamping: NIODeadline.now().uptimeNanoseconds))
    }

    static func after(_ duration: Duration) -> Deadline {
        let (seconds, attoseconds) = duration.components
        // A hundred years stand for ever and keep the sum far from overflow.
        let bounded = min(max(seconds, 0), 3_155_760_000)
        let nanoseconds = bounded * 1_000_000_000 + max(attoseconds, 0) / 1_000_000_000
        return Deadline(nanoseconds: now.nanoseconds + nanoseconds)
    }

    static func < (a: Deadline, b: Deadline) -> Bool { a.nanoseconds < b.nanoseconds }
}
