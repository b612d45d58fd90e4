import NIOCore

/// Appends messages to mailboxes: one mailbox per session, or one mailbox filled up.
package struct IMAPAppendLoad: Sendable {
    package enum Literals: String, Sendable, CaseIterable {
        /// LITERAL+ where it is announced.
        case automatic = "auto"
        case synchronizing = "sync"
    }

    package var endpoint: Endpoint
    package var login: Login
    package var mailbox = "INBOX"
    package var sessions = 10
    /// The number of the first session's user; the following sessions take the following users.
    package var firstUser = 1
    package var amount = Amount.count(1000)
    package var mix: SizeMix
    package var seed: UInt64 = 1
    /// Commands under way at the same time in one session.
    package var window = 1
    package var literals = Literals.automatic
    /// Append only what is missing to this many messages, and nothing to a fuller mailbox.
    package var upTo: Int?

    package init(endpoint: Endpoint, login: Login, mix: SizeMix) {
        self.endpoint = endpoint
        self.login = login
        self.mix = mix
    }

    package func run(_ runner: Runner) async throws -> Report {
        let source = MessageSource(mix: mix, seed: seed, firstDate: 1_700_000_000)
        let clients = try await IMAPClient.openMany(
            (0..<sessions).map { login.names.name(firstUser + $0) },
            password: login.password,
            endpoint: endpoint,
            atOnce: VisibleWatcher.loginsAtOnce,
            readSize: 16 << 10,
            runner: runner
        ) { client in
            mailbox == "INBOX"
                ? client.loop.makeSucceededVoidFuture()
                : client.attempt("CREATE \(mailbox)").map { _ in }
        }
        let plan = Plan(try await remaining(clients))
        let capability = try await clients[0].run("CAPABILITY").get()
        let literalPlus =
            literals == .automatic
            && (capability.announces("LITERAL+")
                || capability.announces("LITERAL-")
                    && mix.largest <= 4096)
        let recorder = Recorder()
        let start = NIODeadline.now()
        try await runner.watching(recorder, plan: plan, what: "appended") {
            let ends = clients.enumerated()
                .map { number, client in
                    client.loop.flatSubmit {
                        Appender(
                            load: self,
                            name: login.names.name(firstUser + number),
                            session: client.session.value,
                            source: source,
                            plan: plan,
                            recorder: recorder,
                            literalPlus: literalPlus,
                            over: client.loop.makePromise()
                        )
                        .run()
                    }
                }
            return EventLoopFuture.andAllSucceed(ends, on: runner.loop(0))
        }
        let elapsed = NIODeadline.now() - start
        for client in clients { try await client.logout().get() }
        var report = Report(
            command: "imap-append",
            target: endpoint,
            figures: recorder.now,
            elapsed: elapsed,
            unit: "messages",
            latency: "APPEND to its answer"
        )
        report.notes["sizes"] = mix.text
        report.notes["sessions"] = String(sessions)
        report.notes["window"] = String(window)
        report.notes["literals"] = literalPlus ? "LITERAL+" : "synchronizing"
        return report
    }

    private func remaining(_ clients: [IMAPClient]) async throws -> Amount {
        guard let upTo else { return amount }
        let status = try await clients[0].run("STATUS \(mailbox) (MESSAGES)").get()
        return .count(max(0, upTo - (status.statusMessages ?? 0)))
    }
}

/// One session's appending; lives on its loop.
private final class Appender {
    private let load: IMAPAppendLoad
    private let name: String
    private let session: IMAPSession
    private let source: MessageSource
    private let plan: Plan
    private let recorder: Recorder
    private let literalPlus: Bool
    private let over: EventLoopPromise<Void>
    private var underWay = 0

    init(
        load: IMAPAppendLoad,
        name: String,
        session: IMAPSession,
        source: MessageSource,
        plan: Plan,
        recorder: Recorder,
        literalPlus: Bool,
        over: EventLoopPromise<Void>
    ) {
        self.load = load
        self.name = name
        self.session = session
        self.source = source
        self.plan = plan
        self.recorder = recorder
        self.literalPlus = literalPlus
        self.over = over
    }

    func run() -> EventLoopFuture<Void> {
        fill()
        return over.futureResult
    }

    private func fill() {
        while underWay < (literalPlus ? max(1, load.window) : 1), let index = plan.take() {
            underWay += 1
            append(index)
        }
        if underWay == 0 { over.succeed() }
    }

    private func append(_ index: Int) {
        let message = source.message(index, from: "sender@sender.test", to: name)
        let size = message.size
        let finish: (IMAPResponse) -> Void = { [self] response in
            underWay -= 1
            switch response.status {
            case .ok: recorder.finish(since: response.start, bytes: size)
            case .no, .bad: recorder.fail(response.text)
            case .lost: return over.fail(BenchError.connection("lost while appending"))
            }
            fill()
        }
        let command = "APPEND \(load.mailbox)"
        if literalPlus {
            session.send(command, literal: message.pieces, completion: finish)
        } else {
            session.send(command, synchronizing: message.pieces, completion: finish)
        }
    }
}
