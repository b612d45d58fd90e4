internal import NIOCore
internal import NIOPosix
import Synchronization

/// Where a server listens, and what it expects there.
package struct Listener: Sendable {
    package enum Security: Sendable {
        /// Clear text, until the protocol asks for STARTTLS.
        case plain
        /// TLS from the first byte.
        case implicit(TLSIdentity)
    }

    package var endpoint: Endpoint
    package var security: Security
    /// Networks whose connections must begin with a PROXY header, and from nowhere else.
    package var trustedProxies: [IPNetwork]

    package init(
        _ endpoint: Endpoint,
        security: Security = .plain,
        trustedProxies: [IPNetwork] = []
    ) {
        self.endpoint = endpoint
        self.security = security
        self.trustedProxies = trustedProxies
    }
}

/// How many connections a server holds.
package struct ServerLimits: Sendable {
    package var connections = 10_000
    /// For each IPv4 address or IPv6 /64; loopback and unix sockets are not counted.
    package var connectionsPerClient = 100
    package var backlog: Int32 = 1024
    package var proxyHeaderTimeout: Duration = .seconds(5)
    package var connection = ConnectionLimits()

    package init() {}
}

/// Why a connection is turned away before it is served.
package enum Refusal: Sendable {
    case tooManyConnections
    case tooManyFromClient
}

/// Listens, and runs one child task for each connection.
package final class Server: Sendable {
    private struct State {
        var listening: [any Channel] = []
        var live: [ObjectIdentifier: Connection] = [:]
        var isDraining = false
        var idleWaiter: CheckedContinuation<Void, Never>?
    }

    private typealias Arrival = (connection: Connection, listener: Listener)

    private let listeners: [Listener]
    private let limits: ServerLimits
    private let loops: EventLoops
    private let refusal: @Sendable (Refusal) -> [UInt8]
    private let counts = ConnectionCounts()
    private let state = Mutex(State())
    private let arrivals: AsyncStream<Arrival>
    private let arrived: AsyncStream<Arrival>.Continuation

    /// - Parameter refusal: what a client is told before its connection is closed unserved.
    package init(
        _ listeners: [Listener],
        limits: ServerLimits = ServerLimits(),
        loops: EventLoops = .shared,
        refusal: @escaping @Sendable (Refusal) -> [UInt8] = { _ in [] }
    ) {
        self.listeners = listeners
        self.limits = limits
        self.loops = loops
        self.refusal = refusal
        // Bounded by `limits.connections`, which is checked before a connection gets here.
        (arrivals, arrived) = AsyncStream.makeStream()
    }

    /// How many connections are being served.
    package var connectionCount: Int { state.withLock { $0.live.count } }

    // MARK: Listening

    /// Begins to listen; returns the bound endpoints in the order of the listeners.
    package func bind() async throws(NetError) -> [Endpoint] {
        var bound: [Endpoint] = []
        for listener in listeners {
            do {
                let channel = try await listen(at: listener)
                state.withLock { $0.listening.append(channel) }
                bound.append(Endpoint(channel.localAddress) ?? listener.endpoint)
            } catch {
                await stopListening()
                throw .cannotListen("\(listener.endpoint): \(error)")
            }
        }
        return bound
    }

    private func listen(at listener: Listener) async throws -> any Channel {
        switch listener.endpoint {
        case .ip:
            try await bootstrap(listener).bind(to: listener.endpoint.socketAddress()).get()
        case .unix(let path):
            try await bootstrap(listener)
                .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        }
    }

    private func bootstrap(_ listener: Listener) -> ServerBootstrap {
        let isIPv6 = listener.endpoint.address?.isIPv6 == true
        let isTCP = listener.endpoint.address != nil
        var bootstrap = ServerBootstrap(group: loops.group)
            .serverChannelOption(.backlog, value: limits.backlog)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptBackoffHandler(shouldForwardIOErrorCaught: false)
                    )
                }
            }
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .recvAllocator,
                value: FixedSizeRecvByteBufferAllocator(capacity: Pump.quietReceiveBytes)
            )
            .childChannelInitializer { channel in self.accept(channel, listener) }
        if isTCP {
            bootstrap =
                bootstrap
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
        }
        if isIPv6 {
            bootstrap = bootstrap.serverChannelOption(
                ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only),
                value: 1
            )
        }
        return bootstrap
    }

    private func accept(_ channel: any Channel, _ listener: Listener) -> EventLoopFuture<Void> {
        guard counts.take(limit: limits.connections) else {
            var words: [UInt8] = []
            if case .plain = listener.security { words = refusal(.tooManyConnections) }
            return channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(TurnAway(saying: words))
            }
        }
        let connection = Connection(
            channel: channel,
            wheel: loops.wheel(of: channel.eventLoop),
            limits: limits.connection
        )
        channel.closeFuture.whenComplete { _ in
            self.counts.release()
            // A channel accepted while its listener closes is closed before it was ever active, and
            // then its handlers never hear that it is inactive.
            connection.becameInactive()
        }
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(Pump(connection))
            if case .terminated = self.arrived.yield((connection, listener)) {
                channel.close(promise: nil)
            }
        }
    }

    // MARK: Serving

    /// Serves every connection with `handler` until `drain` has finished or the task is cancelled.
    ///
    /// The connection is closed when `handler` returns.
    package func serve(_ handler: @escaping @Sendable (Connection) async -> Void) async {
        await withDiscardingTaskGroup { group in
            for await arrival in arrivals {
                group.addTask { await self.serve(arrival.connection, arrival.listener, handler) }
            }
            if Task.isCancelled { group.cancelAll() }
        }
        await stopListening()
    }

    private func serve(
        _ connection: Connection,
        _ listener: Listener,
        _ handler: @Sendable (Connection) async -> Void
    ) async {
        enter(connection)
        await admit(connection, listener, handler)
        await connection.close()
        leave(connection)
    }

    private func admit(
        _ connection: Connection,
        _ listener: Listener,
        _ handler: @Sendable (Connection) async -> Void
    ) async {
        if let address = connection.peer?.address,
            listener.trustedProxies.contains(where: { $0.contains(address) })
        {
            guard await connection.readProxyHeader(within: limits.proxyHeaderTimeout) else {
                return
            }
        }
        let network = connection.peer?.address.flatMap { address in
            address.isLoopback ? nil : ConnectionCounts.network(of: address)
        }
        if let network {
            guard counts.take(for: network, limit: limits.connectionsPerClient) else {
                if case .plain = listener.security {
                    try? await connection.send(refusal(.tooManyFromClient))
                }
                return
            }
        }
        defer { if let network { counts.release(for: network) } }
        if case .implicit(let identity) = listener.security {
            do {
                try await connection.startImplicitTLS(identity)
            } catch {
                return
            }
        }
        await handler(connection)
    }

    private func enter(_ connection: Connection) {
        let isDraining = state.withLock { state in
            state.live[ObjectIdentifier(connection)] = connection
            return state.isDraining
        }
        if isDraining { connection.startDraining() }
    }

    private func leave(_ connection: Connection) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.live[ObjectIdentifier(connection)] = nil
            guard state.live.isEmpty else { return nil }
            defer { state.idleWaiter = nil }
            return state.idleWaiter
        }
        waiter?.resume()
    }

    // MARK: Stopping

    /// Stops accepting, tells every connection, and waits up to `limit` for them to end.
    ///
    /// What is left then is cut.
    package func drain(within limit: Duration) async {
        await stopListening()
        arrived.finish()
        let live = state.withLock { state in
            state.isDraining = true
            return Array(state.live.values)
        }
        for connection in live { connection.startDraining() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitUntilIdle() }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            for connection in state.withLock({ Array($0.live.values) }) { connection.abort() }
            group.cancelAll()
        }
    }

    private func waitUntilIdle() async {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in
                guard !state.live.isEmpty else { return false }
                state.idleWaiter = continuation
                return true
            }
            if !waits { continuation.resume() }
        }
    }

    private func stopListening() async {
        let channels = state.withLock { state in
            defer { state.listening = [] }
            return state.listening
        }
        for channel in channels { try? await channel.close().get() }
    }
}

/// Says why, and closes.
private final class TurnAway: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let words: [UInt8]

    init(saying words: [UInt8]) {
        self.words = words
    }

    func channelActive(context: ChannelHandlerContext) {
        let buffer = context.channel.allocator.buffer(bytes: words)
        context.channel.writeAndFlush(buffer, promise: nil)
        context.channel.close(promise: nil)
    }
}
