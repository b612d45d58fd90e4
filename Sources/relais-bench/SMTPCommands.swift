import ArgumentParser
import Bench

/// Options of both languages that carry mail.
struct TransferOptions: ParsableArguments {
    @OptionGroup var amount: AmountOptions
    @OptionGroup var content: ContentOptions

    @Option(help: "Sessions at the same time.")
    var sessions = 10

    @Option(help: ArgumentHelp("Pattern of the reverse-path.", valueName: "pattern"))
    var from = NamePattern(before: "sender", digits: 0, after: "@sender.test")

    @Option(help: ArgumentHelp("Pattern of the recipients.", valueName: "pattern"))
    var to = NamePattern(before: "u", digits: 4, after: "@bench.test")

    @Option(help: "Recipients are numbered from 1 to this, and take turns.")
    var users = 200

    @Option(help: "Recipients of each message.")
    var recipientsPerMessage = 1

    @Option(help: "Messages before a session reconnects; 0 means never.")
    var perConnection = 0

    @Flag(help: "Wait for every reply even where PIPELINING is announced.")
    var noPipelining = false

    @Option(
        help: ArgumentHelp(
            "Log in (AUTH PLAIN) under this pattern; sessions take the users in turn.",
            valueName: "pattern"
        )
    )
    var auth: NamePattern?

    @Option(help: "The password of all users.")
    var password = "test"

    @Option(
        help: ArgumentHelp(
            """
            Also measure until every message is counted by STATUS in its recipient's INBOX, at \
            imap://host:port or imaps://host:port.
            """,
            valueName: "url"
        )
    )
    var visible: String?

    @Option(
        help: ArgumentHelp("Pattern of the IMAP logins of --visible.", valueName: "pattern")
    )
    var visibleUser = NamePattern(before: "u", digits: 4, after: "@bench.test")

    func load(_ language: SMTPLoad.Language, at endpoint: Endpoint) throws -> SMTPLoad {
        var load = SMTPLoad(
            language: language,
            endpoint: endpoint,
            mix: content.size,
            sender: from,
            recipients: to
        )
        load.sessions = max(1, sessions)
        load.amount = amount.amount
        load.seed = content.seed
        load.users = max(1, users)
        load.recipientsPerMessage = max(1, recipientsPerMessage)
        load.messagesPerConnection = perConnection
        load.pipelining = noPipelining ? .never : .whenAnnounced
        load.login = auth.map { Login(names: $0, password: password) }
        if let visible {
            guard let endpoint = Endpoint(url: visible) else {
                throw ValidationError("--visible takes imap://host:port or imaps://host:port")
            }
            load.visible = (endpoint, Login(names: visibleUser, password: password))
        }
        return load
    }
}

struct SMTPCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "smtp",
        abstract: "Send mail over SMTP; with --visible, until its readers can see it.",
        discussion: """
            relais-bench smtp --port 2025 --size mix --count 2000 --visible imap://127.0.0.1:2143
            """
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var transfer: TransferOptions

    func run() async throws {
        let load = try transfer.load(.smtp, at: common.endpoint)
        try await common.report(load.run)
    }
}

struct LMTPCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lmtp",
        abstract: "Deliver mail over LMTP.",
        discussion: "relais-bench lmtp --port 2024 --size 4k --count 10000"
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var transfer: TransferOptions

    func run() async throws {
        let load = try transfer.load(.lmtp, at: common.endpoint)
        try await common.report(load.run)
    }
}
