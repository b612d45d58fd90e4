import NIOCore

/// Gives the same kind of command again and again to a selected mailbox: FETCH, STORE, SEARCH,
/// SELECT or STATUS.
package struct IMAPRoundsLoad: Sendable {
    /// What one round asks, and what it counts.
    package enum Question: Sendable {
        /// `FETCH set items`, counted by its responses.
        case fetch(items: String)
        /// `STORE set ±FLAGS`, adding in one round and removing in the next.
        case store(flags: String, silent: Bool)
        /// `SEARCH key`, counted by the messages of the mailbox.
        case search(key: String)
        /// `SELECT` of the mailbox, again.
        case select
        case status
    }

    package var endpoint: Endpoint
    package var login: Login
    package var mailbox = "INBOX"
    package var question: Question
    /// The message set of FETCH and STORE.
    package var set = "1:*"
    /// Messages per command; nil gives the whole set in one command.
    package var batch: Int?
    package var rounds = 5
    package var sessions = 1
    /// The number of the first session's user.
    package var firstUser = 1
    /// Sessions share one user, or each takes the next one.
    package var sharing = Sharing.oneUser

    package enum Sharing: Sendable {
        case oneUser
        case userEach
    }

    package init(endpoint: Endpoint, login: Login, question: Question) {
        self.endpoint = endpoint
        self.login = login
        self.question = question
    }

    package func run(_ runner: Runner) async throws -> Report {
        let clients = try await IMAPClient.openMany(
            (0..<sessions).map {
                login.names.name(sharing == .oneUser ? firstUser : firstUser + $0)
            },
            password: login.password,
            endpoint: endpoint,
            atOnce: VisibleWatcher.loginsAtOnce,
            readSize: 256 << 10,
            runner: runner
        ) { client in client.loop.makeSucceededVoidFuture() }
        var exists: [Int] = []
        for client in clients {
            exists.append(try await client.run("SELECT \(mailbox)").get().exists ?? 0)
        }
        let recorder = Recorder()
        let rates = Rates()
        let start = NIODeadline.now()
        try await runner.watching(
            what: "messages",
            total: nil,
            done: { recorder.done }
        ) {
            let ends = zip(clients, exists)
                .map { client, exists in
                    client.loop.flatSubmit {
                        Asker(
                            load: self,
                            exists: exists,
                            session: client.session.value,
                            recorder: recorder,
                            rates: rates,
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
            command: name,
            target: endpoint,
            figures: recorder.now,
            elapsed: elapsed,
            unit: unit,
            latency: "one command"
        )
        report.figures["mailbox_messages"] = Double(exists.first ?? 0)
        report.figures["first_round_per_second"] = rates.first
        report.figures["median_round_per_second"] = rates.median
        report.notes["command"] = command(round: 0, set: set)
        report.notes["sessions"] = String(sessions)
        report.notes["rounds"] = String(rounds)
        return report
    }

    private var name: String {
        switch question {
        case .fetch: "imap-fetch"
        case .store: "imap-store"
        case .search: "imap-search"
        case .select: "imap-select"
        case .status: "imap-status"
        }
    }

    private var unit: String {
        switch question {
        case .fetch, .store, .search: "messages"
        case .select, .status: "commands"
        }
    }

    func command(round: Int, set: String) -> String {
        switch question {
        case .fetch(let items): "FETCH \(set) \(items)"
        case .store(let flags, let silent):
            "STORE \(set) \(round % 2 == 0 ? "+" : "-")FLAGS\(silent ? ".SILENT" : "") \(flags)"
        case .search(let key): "SEARCH \(key)"
        case .select: "SELECT \(mailbox)"
        case .status: "STATUS \(mailbox) (MESSAGES UNSEEN UIDNEXT)"
        }
    }

    /// What one answered command counts, when its set names `asked` messages.
    func items(_ response: IMAPResponse, asked: Int, exists: Int) -> Int {
        switch question {
        case .fetch: response.fetches
        case .store: asked
        case .search: exists
        case .select, .status: 1
        }
    }
}
