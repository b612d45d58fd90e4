import NIOCore

/// Opens many connections, logs each in, and leaves them idle while memory is measured.
package struct IMAPIdleLoad: Sendable {
    package enum Rest: String, Sendable, CaseIterable {
        /// Logged in, nothing more.
        case login
        /// INBOX selected.
        case select
        /// INBOX selected and IDLE begun.
        case idle
    }

    package var endpoint: Endpoint
    package var login: Login
    package var connections = 1000
    package var users = 200
    package var rest = Rest.idle
    package var atOnce = 20
    /// Connections opened before the first measurement, so that what a server allocates once is
    /// not counted as a connection's.
    package var warmUp = 20
    /// How long the connections rest before the second measurement.
    package var settle = Duration.seconds(3)
    /// How long they stay after it.
    package var hold = Duration.zero
    package var memory: ProcessMemory?

    package init(endpoint: Endpoint, login: Login) {
        self.endpoint = endpoint
        self.login = login
    }

    package func run(_ runner: Runner) async throws -> Report {
        let recorder = Recorder()
        let warm = try await open(0..<min(warmUp, connections), recorder, runner)
        try await Task.sleep(for: .seconds(1))
        let before = memory?.measure()
        let start = NIODeadline.now()
        let clients = try await open(warm.count..<connections, recorder, runner)
        let elapsed = NIODeadline.now() - start
        runner.say("\(connections) connections rest")
        try await Task.sleep(for: settle)
        let after = memory?.measure()
        try await Task.sleep(for: hold)
        let alive = (warm + clients).count { $0.channel.isActive }
        var report = Report(
            command: "imap-idle",
            target: endpoint,
            figures: recorder.now,
            elapsed: elapsed,
            unit: "connections",
            latency: "logged in to \(rest.rawValue)"
        )
        report.rate = report.seconds > 0 ? Double(clients.count) / report.seconds : 0
        report.figures["alive_at_the_end"] = Double(alive)
        if let before, let after, !clients.isEmpty {
            report.figures["pss_before_kb"] = Double(before.bytes) / 1024
            report.figures["pss_after_kb"] = Double(after.bytes) / 1024
            report.figures["processes_after"] = Double(after.processes)
            report.figures["pss_kb_per_connection"] =
                Double(after.bytes - before.bytes) / 1024 / Double(clients.count)
        }
        report.notes["rest"] = rest.rawValue
        for client in warm + clients { client.channel.close(promise: nil) }
        return report
    }

    private func open(
        _ numbers: Range<Int>,
        _ recorder: Recorder,
        _ runner: Runner
    ) async throws -> [IMAPClient] {
        if numbers.isEmpty { return [] }
        let result = Opened()
        try await runner.watching(
            what: "connections",
            total: connections,
            done: { recorder.done }
        ) {
            let promise = runner.loop(0).makePromise(of: Void.self)
            promise.completeWithTask {
                let clients = try await IMAPClient.openMany(
                    numbers.map { login.names.name($0 % users + 1) },
                    password: login.password,
                    endpoint: endpoint,
                    atOnce: atOnce,
                    readSize: 1024,
                    runner: runner
                ) { client in
                    let start = NIODeadline.now()
                    return begin(client).map { recorder.finish(since: start) }
                }
                result.set(clients)
            }
            return promise.futureResult
        }
        return result.clients
    }

    private func begin(_ client: IMAPClient) -> EventLoopFuture<Void> {
        guard rest != .login else { return client.loop.makeSucceededVoidFuture() }
        return client.run("SELECT INBOX")
            .flatMap { _ in
                guard rest == .idle else { return client.loop.makeSucceededVoidFuture() }
                let promise = client.loop.makePromise(of: Void.self)
                client.loop.execute {
                    client.session.value.idle(
                        idling: { promise.succeed() },
                        completion: { response in
                            promise.fail(
                                BenchError.refused(command: "IDLE", response: response.text)
                            )
                        }
                    )
                }
                return promise.futureResult
            }
    }
}
