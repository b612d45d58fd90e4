import NIOCore
import NIOSSL
import NIOTLS
import Synchronization

/// The last handler of every pipeline: moves bytes and endings from the event loop to `Connection`.
///
/// While a connection is quiet it owns one small receive buffer; a sender that fills it gets a large
/// one until it slows down.
final class Pump: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Never

    static let quietReceiveBytes = 1024
    static let busyReceiveBytes = 65_536

    let connection: Connection
    private var isBusy = false
    private var readBytes = 0
    private var smallReads = 0

    init(_ connection: Connection) {
        self.connection = connection
    }

    func channelActive(context: ChannelHandlerContext) {
        context.read()
        context.fireChannelActive()
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        readBytes += buffer.readableBytes
        connection.received(buffer)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        adaptReceiveBuffer(context.channel)
        readBytes = 0
        if connection.wantsMore() { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { connection.drainOutbound() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            connection.inputEnded()
        case TLSUserEvent.handshakeCompleted:
            let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLHandler.self)
            connection.handshakeCompleted(version: handler?.tlsVersion.map(Self.name) ?? "TLS")
        default:
            break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.becameInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case NIOSSLError.uncleanShutdown = error { return }
        connection.failed("\(error)")
        context.close(promise: nil)
    }

    private func adaptReceiveBuffer(_ channel: any Channel) {
        if isBusy {
            smallReads = readBytes < Self.busyReceiveBytes / 16 ? smallReads + 1 : 0
            if smallReads >= 2 { setReceiveBuffer(channel, busy: false) }
        } else if readBytes >= Self.quietReceiveBytes {
            setReceiveBuffer(channel, busy: true)
        }
    }

    private func setReceiveBuffer(_ channel: any Channel, busy: Bool) {
        isBusy = busy
        smallReads = 0
        let bytes = busy ? Self.busyReceiveBytes : Self.quietReceiveBytes
        try? channel.syncOptions?.setOption(
            .recvAllocator,
            value: FixedSizeRecvByteBufferAllocator(capacity: bytes)
        )
    }

    private static func name(_ version: TLSVersion) -> String {
        switch version {
        case .tlsv1: "TLSv1.0"
        case .tlsv11: "TLSv1.1"
        case .tlsv12: "TLSv1.2"
        case .tlsv13: "TLSv1.3"
        }
    }
}

extension Connection {
    /// The event loop's side; all of it runs there.
    func received(_ buffer: ByteBuffer) {
        let waiter = state.withLock { state -> State.Waiter? in
            guard !state.isClosing else { return nil }
            state.inbound.append(contentsOf: buffer.readableBytesView)
            if case .handshaking = state.tls { return nil }
            return state.takeWaiter()
        }
        waiter?.resume()
    }

    func wantsMore() -> Bool {
        state.withLock { state in
            if state.isInputEnded { return false }
            if state.inbound.count >= limits.inboundBytes { state.isReadPaused = true }
            return !state.isReadPaused
        }
    }

    func inputEnded() {
        let (waiter, mustClose) = state.withLock { state in
            state.isInputEnded = true
            return (state.takeWaiter(), state.isOutputFinished)
        }
        waiter?.resume()
        if mustClose { channel.close(mode: .all, promise: nil) }
    }

    func handshakeCompleted(version: String) {
        let waiter = state.withLock { state in
            state.tls = .active(version: version)
            return state.takeWaiter()
        }
        waiter?.resume()
    }

    func failed(_ reason: String) {
        let waiter = state.withLock { state -> State.Waiter? in
            guard case .handshaking = state.tls else { return nil }
            state.tls = .failed(reason)
            return state.takeWaiter()
        }
        waiter?.resume()
    }

    func becameInactive() {
        let waiters = state.withLock { state in
            state.isInactive = true
            state.isInputEnded = true
            state.outbound.removeAll()
            state.closeDeadline = nil
            let waiters = [state.takeWaiter(), state.takeSender()] + state.closers
            state.closers = []
            if let tick = state.watchedTick {
                wheel.forget(self, in: tick)
                state.watchedTick = nil
            }
            return waiters
        }
        for waiter in waiters { waiter?.resume() }
    }
}
