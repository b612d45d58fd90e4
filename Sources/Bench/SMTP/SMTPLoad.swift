import NIOCore
import NIOPosix

/// Sends mail over SMTP or LMTP through a number of sessions.
package struct SMTPLoad: Sendable {
    package enum Language: String, Sendable {
        case smtp
        case lmtp
    }

    package enum Pipelining: Sendable {
        case whenAnnounced
        case never
    }

    package var language: Language
    package var endpoint: Endpoint
    package var sessions = 10
    package var amount = Amount.count(1000)
    package var mix: SizeMix
    package var seed: UInt64 = 1
    /// The reverse-path; a pattern is filled with the number of the session's user.
    package var sender: NamePattern
    package var recipients: NamePattern
    /// Recipients are numbered from 1 to this.
    package var users = 200
    package var recipientsPerMessage = 1
    /// Messages before a session reconnects; 0 means never.
    package var messagesPerConnection = 0
    package var pipelining = Pipelining.whenAnnounced
    package var login: Login?
    /// Where to watch the mail arrive, and under which logins.
    package var visible: (endpoint: Endpoint, login: Login)?

    package init(
        language: Language,
        endpoint: Endpoint,
        mix: SizeMix,
        sender: NamePattern,
        recipients: NamePattern
    ) {
        self.language = language
        self.endpoint = endpoint
        self.mix = mix
        self.sender = sender
        self.recipients = recipients
    }

    /// Runs the load and says what was measured.
    package func run(_ runner: Runner) async throws -> Report {
        let source = MessageSource(mix: mix, seed: seed, firstDate: 1_700_000_000)
        let job = SMTPJob(load: self, source: source)
        var watcher: VisibleWatcher?
        if let visible {
            watcher = try await VisibleWatcher(
                endpoint: visible.endpoint,
                login: visible.login,
                users: users,
                runner: runner
            )
        }
        let start = NIODeadline.now()
        try await runner.watching(job.recorder, plan: job.plan, what: "messages") {
            let slots = try (0..<sessions).map { number in
                let loop = runner.loop(number)
                let connector = try Connector(endpoint, loop: loop)
                return loop.flatSubmit {
                    SMTPSlot(number: number, connector: connector, job: job).run()
                }
            }
            return EventLoopFuture.andAllSucceed(slots, on: runner.loop(0))
        }
        let accepted = NIODeadline.now()
        var report = Report(
            command: language.rawValue,
            target: endpoint,
            figures: job.recorder.now,
            elapsed: accepted - start,
            unit: "messages",
            latency: "MAIL to the reply after the message"
        )
        report.notes["sizes"] = mix.text
        report.notes["sessions"] = String(sessions)
        report.notes["recipients_per_message"] = String(recipientsPerMessage)
        if let watcher {
            let seen = try await watcher.wait(for: job.delivered, runner: runner)
            report.addVisible(deliveries: job.delivered.total, elapsed: seen - start)
        }
        return report
    }
}

/// Who logs in: a pattern of names with one password.
package struct Login: Sendable {
    package var names: NamePattern
    package var password: String

    package init(names: NamePattern, password: String) {
        self.names = names
        self.password = password
    }
}
