import NIOCore
import NIOPosix
import NIOSSL

/// A server to load: where it listens and how its connections are protected.
package struct Endpoint: Sendable {
    package enum Security: String, Sendable, CaseIterable {
        case plain
        /// TLS from the first byte.
        case tls
        case startTLS = "starttls"
    }

    package var host: String
    package var port: Int
    package var security: Security

    package init(host: String, port: Int, security: Security = .plain) {
        self.host = host
        self.port = port
        self.security = security
    }

    /// Reads `imap://host:port` or `imaps://host:port`.
    package init?(url: String) {
        let parts = url.split(separator: "://", maxSplits: 1)
        guard parts.count == 2, ["imap", "imaps"].contains(parts[0]) else { return nil }
        let address = parts[1].split(separator: ":")
        guard
            let host = address.first,
            let port = address.count == 2 ? Int(address[1]) : parts[0] == "imap" ? 143 : 993
        else { return nil }
        self.init(host: String(host), port: port, security: parts[0] == "imap" ? .plain : .tls)
    }
}

/// Opens the connections of a run.
struct Connector: Sendable {
    let endpoint: Endpoint
    let loop: any EventLoop
    /// Bytes asked for by one read of a socket.
    let readSize: Int
    private let tls: NIOSSLContext?

    static let connectTimeout = TimeAmount.seconds(30)

    init(_ endpoint: Endpoint, loop: any EventLoop, readSize: Int = 64 << 10) throws {
        self.endpoint = endpoint
        self.loop = loop
        self.readSize = readSize
        if endpoint.security == .plain {
            tls = nil
        } else {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateVerification = .none
            tls = try NIOSSLContext(configuration: configuration)
        }
    }

    /// Connects, with `make`'s handler last in the pipeline; TLS below it when it comes first.
    func connect(
        _ make: @escaping @Sendable (Connector) -> some ChannelInboundHandler
    ) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .connectTimeout(Self.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(
                .recvAllocator,
                value: FixedSizeRecvByteBufferAllocator(capacity: readSize)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if endpoint.security == .tls { try startTLS(channel) }
                    try channel.pipeline.syncOperations.addHandler(make(self))
                }
            }
            .connect(host: endpoint.host, port: endpoint.port)
    }

    /// Puts TLS under the handlers that are there; on the channel's loop.
    func startTLS(_ channel: any Channel) throws {
        guard let tls else { return }
        try channel.pipeline.syncOperations.addHandler(
            NIOSSLClientHandler(context: tls, serverHostname: nil),
            position: .first
        )
    }
}
