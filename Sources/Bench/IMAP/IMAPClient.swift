import NIOCore
import NIOPosix

/// An open IMAP connection that may be passed between tasks.
struct IMAPClient: Sendable {
    let channel: any Channel
    /// The handler, to be touched on the channel's loop only.
    let session: NIOLoopBound<IMAPSession>

    var loop: any EventLoop { channel.eventLoop }

    /// Connects, waits for the greeting, starts TLS if the endpoint wants it, and logs in.
    static func open(
        _ connector: Connector,
        name: String? = nil,
        password: String = ""
    ) -> EventLoopFuture<IMAPClient> {
        let loop = connector.loop
        let greeting = loop.makePromise(of: Void.self)
        let connected = connector.connect { _ in
            IMAPSession { response in
                if response.status == .ok {
                    greeting.succeed()
                } else {
                    greeting.fail(
                        BenchError.refused(command: "connecting", response: response.text)
                    )
                }
            }
        }
        connected.whenFailure { greeting.fail(BenchError.connection("\($0)")) }
        return connected.and(greeting.futureResult)
            .flatMapThrowing { channel, _ in
                let session = try channel.pipeline.syncOperations.handler(type: IMAPSession.self)
                return IMAPClient(
                    channel: channel,
                    session: NIOLoopBound(session, eventLoop: loop)
                )
            }
            .flatMap { (client: IMAPClient) in
                guard connector.endpoint.security == .startTLS else {
                    return loop.makeSucceededFuture(client)
                }
                return client.run("STARTTLS")
                    .flatMapThrowing { _ in
                        try connector.startTLS(client.channel)
                        return client
                    }
            }
            .flatMap { (client: IMAPClient) in
                guard let name else { return loop.makeSucceededFuture(client) }
                return client.run("LOGIN \(name) \(password)").map { _ in client }
            }
    }

    /// Sends a command and waits for its end; anything but OK is an error.
    func run(_ command: String) -> EventLoopFuture<IMAPResponse> {
        attempt(command).flatMapThrowing { response in
            guard response.status == .ok else {
                throw BenchError.refused(command: command, response: response.text)
            }
            return response
        }
    }

    /// Sends a command and waits for its end, whatever that is.
    func attempt(_ command: String) -> EventLoopFuture<IMAPResponse> {
        let promise = loop.makePromise(of: IMAPResponse.self)
        loop.execute { session.value.send(command) { promise.succeed($0) } }
        return promise.futureResult
    }

    /// Takes leave and closes.
    func logout() -> EventLoopFuture<Void> {
        attempt("LOGOUT").flatMap { _ in channel.close() }.flatMapErrorThrowing { _ in }
    }

    /// Opens one connection for each of `names`, at most `atOnce` at the same time.
    static func openMany(
        _ names: [String],
        password: String,
        endpoint: Endpoint,
        atOnce: Int,
        readSize: Int,
        runner: Runner,
        opened: @escaping @Sendable (IMAPClient) -> EventLoopFuture<Void>
    ) async throws -> [IMAPClient] {
        try await withThrowingTaskGroup(of: (Int, IMAPClient).self) { group in
            var clients: [Int: IMAPClient] = [:]
            let connectors = try (0..<min(atOnce, names.count)).map {
                try Connector(endpoint, loop: runner.loop($0), readSize: readSize)
            }
            for (number, name) in names.enumerated() {
                if number >= connectors.count, let (done, client) = try await group.next() {
                    clients[done] = client
                }
                let connector = connectors[number % connectors.count]
                group.addTask {
                    let client = try await open(connector, name: name, password: password)
                        .flatMap { client in opened(client).map { client } }
                        .get()
                    return (number, client)
                }
            }
            for try await (done, client) in group { clients[done] = client }
            return names.indices.compactMap { clients[$0] }
        }
    }
}
