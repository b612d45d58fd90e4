internal import NIOCore
internal import NIOPosix

/// Opens connections.
package struct Dialer: Sendable {
    package var limits: ConnectionLimits
    private let loops: EventLoops

    package init(limits: ConnectionLimits = ConnectionLimits(), loops: EventLoops = .shared) {
        self.limits = limits
        self.loops = loops
    }

    /// Connects to one endpoint, from `source` when several addresses are ours.
    package func connect(
        to endpoint: Endpoint,
        within limit: Duration,
        from source: IPAddress? = nil
    ) async throws(NetError) -> Connection {
        try await connect(within: limit, from: source, isTCP: endpoint.address != nil) {
            $0.connect(to: try endpoint.socketAddress())
        }
    }

    /// Tries `endpoints` one after the other and returns the first that answers.
    ///
    /// `limit` is for each of them. The error is the last one's.
    package func connect(
        toFirstOf endpoints: [Endpoint],
        within limit: Duration,
        from source: IPAddress? = nil
    ) async throws(NetError) -> Connection {
        var failure = NetError.unreachable("no address")
        for endpoint in endpoints {
            do {
                return try await connect(to: endpoint, within: limit, from: source)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// Connects to a host by name (as the system resolves it) or address.
    package func connect(
        host: String,
        port: UInt16,
        within limit: Duration,
        from source: IPAddress? = nil
    ) async throws(NetError) -> Connection {
        try await connect(within: limit, from: source, isTCP: true) {
            $0.connect(host: host, port: Int(port))
        }
    }

    private func connect(
        within limit: Duration,
        from source: IPAddress?,
        isTCP: Bool,
        _ start: (ClientBootstrap) throws -> EventLoopFuture<any Channel>
    ) async throws(NetError) -> Connection {
        let (loops, limits) = (loops, limits)
        let nanoseconds = Deadline.after(limit).nanoseconds - Deadline.now.nanoseconds
        var bootstrap = ClientBootstrap(group: loops.group)
            .connectTimeout(.nanoseconds(max(1, nanoseconds)))
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(
                .recvAllocator,
                value: FixedSizeRecvByteBufferAllocator(capacity: Pump.quietReceiveBytes)
            )
            .channelInitializer { channel in
                // Before connecting: a server that speaks and hangs up at once must not be missed.
                let wheel = loops.wheel(of: channel.eventLoop)
                let connection = Connection(channel: channel, wheel: wheel, limits: limits)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Pump(connection))
                }
            }
        if isTCP {
            bootstrap =
                bootstrap
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(.socketOption(.so_keepalive), value: 1)
        }
        do {
            if let source {
                bootstrap = bootstrap.bind(
                    to: try Endpoint.ip(source, port: 0).socketAddress()
                )
            }
            let channel = try await start(bootstrap).get()
            let connection = try await channel.eventLoop.submit {
                try channel.pipeline.syncOperations.handler(type: Pump.self).connection
            }.get()
            connection.state.withLock { $0.peer = Endpoint(channel.remoteAddress) }
            return connection
        } catch {
            throw NetError(connecting: error)
        }
    }
}

extension NetError {
    /// What a failed connection attempt means.
    fileprivate init(connecting error: any Error) {
        switch error {
        case let error as NetError: self = error
        case ChannelError.connectTimeout: self = .timedOut
        case let error as IOError: self.init(errnoCode: error.errnoCode)
        case let error as NIOConnectionError:
            let failures = error.connectionErrors.map { NetError(connecting: $0.error) }
            self = failures.last ?? .unreachable("\(error.host) has no address")
        default: self = .unreachable("\(error)")
        }
    }

    private init(errnoCode: CInt) {
        switch errnoCode {
        case ECONNREFUSED, ENOENT: self = .refused
        case ETIMEDOUT: self = .timedOut
        case EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL: self = .unreachable("no route")
        default: self = .unreachable("error \(errnoCode)")
        }
    }
}
