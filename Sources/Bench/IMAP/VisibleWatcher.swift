import NIOCore

/// Waits until mail is where its readers find it: every recipient's INBOX counts it over IMAP.
///
/// The connections are opened and logged in before the load begins; they ask nothing until the last
/// message is acknowledged, so watching costs the server next to nothing.
struct VisibleWatcher {
    private let clients: [IMAPClient]
    private let before: [Int]

    static let loginsAtOnce = 20
    /// Between two questions about the same mailbox.
    static let pause = Duration.milliseconds(5)

    init(endpoint: Endpoint, login: Login, users: Int, runner: Runner) async throws {
        runner.say("opening \(users) mailboxes to watch")
        clients = try await IMAPClient.openMany(
            (1...users).map { login.names.name($0) },
            password: login.password,
            endpoint: endpoint,
            atOnce: Self.loginsAtOnce,
            readSize: 4096,
            runner: runner
        ) { client in client.loop.makeSucceededVoidFuture() }
        var counts: [Int] = []
        for client in clients { counts.append(try await Self.count(client)) }
        before = counts
    }

    /// Waits for every acknowledged message and returns when the last one was counted.
    func wait(for delivered: Deliveries, runner: Runner) async throws -> NIODeadline {
        let seen = Tally(.now())
        try await runner.watching(
            what: "messages visible",
            total: delivered.total,
            done: { seen.progress }
        ) {
            let promise = runner.loop(0).makePromise(of: Void.self)
            promise.completeWithTask {
                for (index, client) in clients.enumerated() {
                    let expected = before[index] + delivered.count(of: index + 1)
                    var last = before[index]
                    while true {
                        let count = try await Self.count(client)
                        seen.add(count - last)
                        last = count
                        if count >= expected { break }
                        try await Task.sleep(for: Self.pause)
                    }
                }
                seen.set(.now())
            }
            return promise.futureResult
        }
        for client in clients { client.channel.close(promise: nil) }
        return seen.deadline
    }

    private static func count(_ client: IMAPClient) async throws -> Int {
        let response = try await client.run("STATUS INBOX (MESSAGES)").get()
        guard let count = response.statusMessages else {
            throw BenchError.refused(command: "STATUS", response: response.text)
        }
        return count
    }
}
