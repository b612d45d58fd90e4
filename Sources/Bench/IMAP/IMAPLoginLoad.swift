import NIOCore

/// Connects, logs in, perhaps opens a mailbox, logs out; again and again, a number at a time.
package struct IMAPLoginLoad: Sendable {
    package var endpoint: Endpoint
    package var login: Login
    package var atOnce = 20
    package var amount = Amount.count(1000)
    /// Logins are numbered from 1 to this.
    package var users = 200
    /// A mailbox to select before logging out.
    package var mailbox: String?

    package init(endpoint: Endpoint, login: Login) {
        self.endpoint = endpoint
        self.login = login
    }

    package func run(_ runner: Runner) async throws -> Report {
        let plan = Plan(amount)
        let recorder = Recorder()
        let start = NIODeadline.now()
        try await runner.watching(recorder, plan: plan, what: "logins") {
            let slots = try (0..<atOnce).map { number in
                let loop = runner.loop(number)
                let connector = try Connector(endpoint, loop: loop, readSize: 4096)
                let promise = loop.makePromise(of: Void.self)
                loop.execute { next(connector, plan, recorder, promise, lost: 0) }
                return promise.futureResult
            }
            return EventLoopFuture.andAllSucceed(slots, on: runner.loop(0))
        }
        var report = Report(
            command: "imap-login",
            target: endpoint,
            figures: recorder.now,
            elapsed: NIODeadline.now() - start,
            unit: "logins",
            latency: mailbox == nil ? "connect to logged in" : "connect to selected"
        )
        report.notes["at_once"] = String(atOnce)
        report.notes["select"] = mailbox
        return report
    }

    /// After this many failures in a row the run fails.
    static let mostLost = 20

    private func next(
        _ connector: Connector,
        _ plan: Plan,
        _ recorder: Recorder,
        _ over: EventLoopPromise<Void>,
        lost: Int
    ) {
        guard let index = plan.take() else { return over.succeed() }
        let start = NIODeadline.now()
        let name = login.names.name(index % users + 1)
        IMAPClient.open(connector, name: name, password: login.password)
            .flatMap { (client: IMAPClient) -> EventLoopFuture<IMAPClient> in
                guard let mailbox else { return client.loop.makeSucceededFuture(client) }
                return client.run("SELECT \(mailbox)").map { _ in client }
            }
            .flatMap { (client: IMAPClient) -> EventLoopFuture<Void> in
                recorder.finish(since: start)
                return client.logout()
            }
            .whenComplete { result in
                guard case .failure(let error) = result else {
                    return next(connector, plan, recorder, over, lost: 0)
                }
                recorder.fail("\(error)")
                if lost == Self.mostLost { return over.fail(error) }
                next(connector, plan, recorder, over, lost: lost + 1)
            }
    }
}
