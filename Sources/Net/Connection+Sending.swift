internal import NIOCore
import Synchronization

extension Connection {
    /// Bytes handed to the socket at a time.
    static let pieceBytes = 262_144

    /// Sends `bytes`, in order with all that was sent before.
    ///
    /// Returns as soon as they are accepted; waits only while more than `limits.outboundBytes` are
    /// still to be written. A peer that takes nothing for `limits.sendTimeout` is given up.
    package func send(_ bytes: [UInt8]) async throws(NetError) {
        guard isCompressed else { return try await enqueue(bytes) }
        var start = 0
        repeat {
            let end = min(start + Self.pieceBytes, bytes.count)
            let isLast = end == bytes.count
            let deflated = codec.withLock {
                $0?.deflater.deflate(bytes[start..<end], flushing: isLast)
            }
            guard let deflated else { throw .closed }
            try await enqueue(deflated)
            start = end
        } while start < bytes.count
    }

    private func enqueue(_ bytes: [UInt8]) async throws(NetError) {
        let (isOpen, mustSchedule, mustWait) = state.withLock { state in
            guard !state.isInactive, !state.isClosing else { return (false, false, false) }
            state.outbound.append(bytes)
            let mustSchedule = !state.isFlushScheduled
            state.isFlushScheduled = true
            return (true, mustSchedule, state.outbound.count > limits.outboundBytes)
        }
        guard isOpen else { throw .closed }
        if mustSchedule { channel.eventLoop.execute { self.drainOutbound() } }
        if mustWait { try await waitUntilDrained() }
    }

    private func waitUntilDrained() async throws(NetError) {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard !state.isInactive, state.outbound.count > limits.outboundBytes / 2
                    else { return false }
                    precondition(state.sender == nil, "two tasks send on one connection")
                    state.sender = continuation
                    state.sendDeadline = .after(limits.sendTimeout)
                    watch(&state)
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            abort()
        }
        if state.withLock({ $0.isInactive }) { throw .closed }
    }

    /// Writes what is queued while the socket takes it; on the event loop.
    func drainOutbound() {
        while channel.isWritable, writePiece() {}
    }

    /// Writes one piece, whether the socket is writable or not; false when nothing was queued.
    func writePiece() -> Bool {
        let (buffer, sender, mustFinish) = state.withLock { state in
            guard state.outbound.count > 0 else {
                state.isFlushScheduled = false
                let mustFinish = state.isClosing && !state.isOutputFinished
                if mustFinish { state.isOutputFinished = true }
                return (ByteBuffer?.none, State.Waiter?.none, mustFinish)
            }
            let size = min(state.outbound.count, Self.pieceBytes)
            var buffer = channel.allocator.buffer(capacity: size)
            state.outbound.take(upTo: size, into: &buffer)
            var sender: State.Waiter?
            if state.outbound.count <= limits.outboundBytes / 2 {
                sender = state.takeSender()
            } else if state.sender != nil {
                state.sendDeadline = .after(limits.sendTimeout)
            }
            return (buffer, sender, false)
        }
        sender?.resume()
        if mustFinish { finishOutput() }
        guard let buffer else { return false }
        channel.writeAndFlush(buffer, promise: nil)
        return true
    }

    // MARK: Closing

    /// Sends what is still queued, then ends the connection; returns when it has ended.
    ///
    /// After the last byte the peer gets a moment to end its side, so that bytes it sent in vain do
    /// not turn our last reply into a reset.
    package func close() async {
        let mustSchedule = state.withLock { state in
            guard !state.isClosing, !state.isInactive else { return false }
            state.isClosing = true
            state.inbound = []
            state.closeDeadline = .after(limits.closeTimeout)
            watch(&state)
            let mustSchedule = !state.isFlushScheduled
            state.isFlushScheduled = true
            return mustSchedule
        }
        if mustSchedule {
            channel.eventLoop.execute { self.drainOutbound() }
        }
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in
                guard !state.isInactive else { return false }
                state.closers.append(continuation)
                return true
            }
            if !waits { continuation.resume() }
        }
    }

    /// The queue is empty and `close` was called: half-close, and wait for the peer's end.
    private func finishOutput() {
        let channel = channel
        let written = channel.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in self.outputWritten() }
        channel.writeAndFlush(channel.allocator.buffer(capacity: 0), promise: written)
    }

    private func outputWritten() {
        let mustWait = state.withLock { state in
            state.closeDeadline = .after(limits.lingerTimeout)
            watch(&state)
            if case .none = state.tls { return !state.isInputEnded }
            return false
        }
        if mustWait {
            channel.close(mode: .output, promise: nil)
            channel.read()
        } else {
            channel.close(mode: .all, promise: nil)
        }
    }
}
