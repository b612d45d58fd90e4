internal import NIOCore
import Synchronization

/// One TCP or unix connection, as the task that serves it sees it.
///
/// One task reads (`next`, `startTLS`, `startCompression`, `close`); any task may `wake()` it, and
/// another may `send`. Reading is bounded: when nobody takes what has arrived, the peer is made to
/// wait by TCP. Whoever holds a connection closes it; dropping it does not.
package final class Connection: Sendable {
    /// What `next` returns.
    package enum Event: Equatable, Sendable {
        /// Everything that has arrived; never empty.
        case bytes([UInt8])
        /// Somebody called `wake()` since the last time.
        case woken
        case timedOut
        /// The peer will send nothing more, or the connection is broken.
        case closed
    }

    let channel: any Channel
    let wheel: DeadlineWheel
    let limits: ConnectionLimits
    let state: Mutex<State>
    let codec = Mutex<Codec?>(nil)

    init(channel: any Channel, wheel: DeadlineWheel, limits: ConnectionLimits) {
        self.channel = channel
        self.wheel = wheel
        self.limits = limits
        state = Mutex(State(peer: Endpoint(channel.remoteAddress)))
    }

    /// The other end: the client's address when a trusted proxy has named it.
    package var peer: Endpoint? { state.withLock { $0.peer } }

    /// This end.
    package var local: Endpoint? { Endpoint(channel.localAddress) }

    /// True once the TLS handshake is done.
    package var isSecure: Bool { tlsVersion != nil }

    /// The TLS version in use, as in `TLSv1.3`.
    package var tlsVersion: String? {
        state.withLock { state in
            if case .active(let version) = state.tls { return version }
            return nil
        }
    }

    package var isCompressed: Bool { state.withLock { $0.isCompressed } }

    /// True when the server is being stopped: finish what was begun, say good-bye and close.
    ///
    /// The connection is woken when this becomes true.
    package var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Bytes received and not yet taken.
    package var bufferedBytes: Int { state.withLock { $0.inbound.count } }

    // MARK: Waiting

    /// Waits for bytes, a wake, the end of the connection or of `limit`, whichever is first.
    package func next(within limit: Duration) async -> Event {
        let deadline = Deadline.after(limit)
        while true {
            if let event = take() { return event }
            if Deadline.now >= deadline { return .timedOut }
            await waitForChange(until: deadline)
        }
    }

    /// Makes `next` return `.woken`, now or the next time; several calls count as one.
    package func wake() {
        let waiter = state.withLock { state in
            state.isWoken = true
            return state.takeWaiter()
        }
        waiter?.resume()
    }

    private func take() -> Event? {
        let isCompressed = isCompressed
        if isCompressed {
            if state.withLock({ $0.takeWake() }) { return .woken }
            if let held = inflate([]) { return held }
        }
        let (event, mustRead) = state.withLock { $0.takeEvent() }
        if mustRead { channel.read() }
        guard isCompressed, case .bytes(let raw) = event else { return event }
        return inflate(raw)
    }

    private func inflate(_ raw: [UInt8]) -> Event? {
        let result = codec.withLock { $0?.inflater.inflate(raw, atMost: limits.inboundBytes) }
        switch result {
        case .output(let bytes): return .bytes(bytes)
        case .needsInput: return nil
        case .corrupt, nil:
            abort()
            return .closed
        }
    }

    func waitForChange(until deadline: Deadline) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    precondition(state.waiter == nil, "two tasks wait on one connection")
                    guard !state.hasChange, !Task.isCancelled else { return false }
                    state.waiter = continuation
                    state.waitDeadline = deadline
                    watch(&state)
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            abort()
        }
        if Task.isCancelled { state.withLock { $0.isInputEnded = true } }
    }

    // MARK: Deadlines

    /// Stands in the wheel for the earliest deadline; called with the state held.
    func watch(_ state: inout State) {
        guard let deadline = state.earliestDeadline else { return }
        if let tick = state.watchedTick,
            tick * DeadlineWheel.tickNanoseconds <= deadline.nanoseconds
        {
            return
        }
        state.watchedTick = wheel.watch(self, until: deadline, leaving: state.watchedTick)
    }

    func deadlineDue(tick: Int64) {
        let now = Deadline.now
        let (waiter, mustAbort) = state.withLock { state in
            guard state.watchedTick == tick else {
                return (CheckedContinuation<Void, Never>?.none, false)
            }
            state.watchedTick = nil
            var waiter: CheckedContinuation<Void, Never>?
            if let deadline = state.waitDeadline, deadline <= now { waiter = state.takeWaiter() }
            let isStuck =
                state.sendDeadline.map { $0 <= now } == true
                || state.closeDeadline.map { $0 <= now } == true
            if isStuck {
                state.sendDeadline = nil
                state.closeDeadline = nil
            }
            watch(&state)
            return (waiter, isStuck)
        }
        waiter?.resume()
        if mustAbort { abort() }
    }

    /// Ends the connection at once; what was not sent is lost.
    package func abort() {
        channel.close(mode: .all, promise: nil)
    }

    func startDraining() {
        let waiter = state.withLock { state in
            state.isDraining = true
            state.isWoken = true
            return state.takeWaiter()
        }
        waiter?.resume()
    }
}

/// What one connection may hold and how long it may take.
package struct ConnectionLimits: Sendable {
    /// Bytes received and not yet taken, above which the peer waits.
    package var inboundBytes = 65_536
    /// Bytes accepted by `send` and not yet written, above which `send` waits.
    package var outboundBytes = 524_288
    /// How long `send` waits without progress before the connection is given up.
    package var sendTimeout: Duration = .seconds(180)
    /// How long `close` lets the last bytes go out.
    package var closeTimeout: Duration = .seconds(10)
    /// How long `close` waits for the peer's own end after the last byte was written.
    package var lingerTimeout: Duration = .seconds(1)
    package var handshakeTimeout: Duration = .seconds(30)

    package init() {}
}
