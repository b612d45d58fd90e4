internal import NIOCore

extension Connection {
    enum TLSState {
        case none
        case handshaking
        case active(version: String)
        case failed(String)
    }

    /// All that both the serving task and the event loop touch.
    struct State {
        typealias Waiter = CheckedContinuation<Void, Never>

        var peer: Endpoint?
        var tls = TLSState.none
        var isCompressed = false
        var isDraining = false

        // Inbound
        var inbound: [UInt8] = []
        var isReadPaused = false
        var isInputEnded = false
        var isWoken = false
        /// Bytes already looked at and found too few.
        var ignoredBytes = 0
        var waiter: Waiter?
        var waitDeadline: Deadline?

        // Outbound
        var outbound = Outbound()
        var isFlushScheduled = false
        var sender: Waiter?
        var sendDeadline: Deadline?

        // The end
        var isClosing = false
        var isOutputFinished = false
        var isInactive = false
        var closeDeadline: Deadline?
        var closers: [Waiter] = []

        var watchedTick: Int64?

        init(peer: Endpoint?) {
            self.peer = peer
        }

        var hasChange: Bool {
            if case .handshaking = tls { return isInputEnded }
            return isWoken || inbound.count > ignoredBytes || isInputEnded
        }

        var earliestDeadline: Deadline? {
            var earliest = waitDeadline
            for other in [sendDeadline, closeDeadline] {
                guard let other else { continue }
                earliest = earliest.map { min($0, other) } ?? other
            }
            return earliest
        }

        mutating func takeWaiter() -> Waiter? {
            defer {
                waiter = nil
                waitDeadline = nil
            }
            return waiter
        }

        mutating func takeSender() -> Waiter? {
            defer {
                sender = nil
                sendDeadline = nil
            }
            return sender
        }

        mutating func takeWake() -> Bool {
            defer { isWoken = false }
            return isWoken
        }

        /// What `next` has to say now, and whether reading must go on.
        mutating func takeEvent() -> (Event?, mustRead: Bool) {
            if takeWake() { return (.woken, false) }
            if !inbound.isEmpty {
                var bytes: [UInt8] = []
                swap(&bytes, &inbound)
                defer { isReadPaused = false }
                return (.bytes(bytes), isReadPaused && !isInputEnded)
            }
            return (isInputEnded ? .closed : nil, false)
        }
    }

    /// Byte arrays on their way to the socket, oldest first.
    struct Outbound {
        private var queue: [[UInt8]] = []
        private var head = 0
        private var offset = 0
        private(set) var count = 0

        mutating func append(_ bytes: [UInt8]) {
            guard !bytes.isEmpty else { return }
            queue.append(bytes)
            count += bytes.count
        }

        mutating func removeAll() {
            self = Outbound()
        }

        /// Moves up to `limit` bytes into `buffer`; small arrays are joined.
        mutating func take(upTo limit: Int, into buffer: inout ByteBuffer) {
            var room = limit
            while room > 0, head < queue.count {
                let piece = queue[head][offset...].prefix(room)
                buffer.writeBytes(piece)
                room -= piece.count
                count -= piece.count
                offset += piece.count
                guard offset == queue[head].count else { break }
                queue[head] = []
                head += 1
                offset = 0
            }
            if head == queue.count {
                queue = []
                head = 0
            }
        }
    }
}
