import ArgumentParser
import Bench

struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "imap-login",
        abstract: "Connect, log in and log out, a number at a time."
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var amount: AmountOptions
    @OptionGroup var login: LoginOptions

    @Option(help: "Connections at the same time.")
    var atOnce = 20

    @Option(help: "Logins are numbered from 1 to this, and take turns.")
    var users = 200

    @Option(help: ArgumentHelp("Select this mailbox too.", valueName: "mailbox"))
    var select: String?

    func run() async throws {
        var load = IMAPLoginLoad(endpoint: common.endpoint, login: login.login)
        load.atOnce = max(1, atOnce)
        load.amount = amount.amount
        load.users = max(1, users)
        load.mailbox = select
        try await common.report(load.run)
    }
}

struct IdleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "imap-idle",
        abstract: "Open many connections, let them idle, and measure the server's memory.",
        discussion: """
            Memory is the proportional set size of whole process trees, from smaps_rollup: the \
            roots are given by --pid, --pidfile and --process, each as often as needed; it takes \
            root to read other users' processes. One generator can hold as many connections as \
            the hard limit of open files (ulimit -Hn) allows, and so can one server process.
            """
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var login: LoginOptions

    @Option(help: "Connections in all.")
    var connections = 1000

    @Option(help: "Logins are numbered from 1 to this, and take turns.")
    var users = 200

    @Option(help: "How they rest: login (no more than logged in), select (INBOX) or idle (IDLE).")
    var rest = IMAPIdleLoad.Rest.idle

    @Option(help: "Connections being opened at the same time.")
    var atOnce = 20

    @Option(help: "Connections opened before the first measurement of memory.")
    var warmUp = 20

    @Option(help: ArgumentHelp("Rest before the second measurement.", valueName: "seconds"))
    var settle = 3

    @Option(help: ArgumentHelp("Stay after it.", valueName: "seconds"))
    var hold = 0

    @Option(help: "Measure the tree of this process.")
    var pid: [Int] = []

    @Option(help: ArgumentHelp("Measure the tree of the process in this file.", valueName: "file"))
    var pidfile: [String] = []

    @Option(help: ArgumentHelp("Measure the trees of all processes so named.", valueName: "name"))
    var process: [String] = []

    func run() async throws {
        var load = IMAPIdleLoad(endpoint: common.endpoint, login: login.login)
        load.connections = connections
        load.users = max(1, users)
        load.rest = rest
        load.atOnce = max(1, atOnce)
        load.warmUp = warmUp
        load.settle = .seconds(settle)
        load.hold = .seconds(hold)
        let roots =
            pid.map(ProcessMemory.Root.pid) + pidfile.map(ProcessMemory.Root.pidFile)
            + process.map(ProcessMemory.Root.name)
        if !roots.isEmpty { load.memory = ProcessMemory(roots: roots) }
        try await common.report(load.run)
    }
}

struct AppendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "imap-append",
        abstract: "Append messages, each session to the mailbox of its own user."
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var amount: AmountOptions
    @OptionGroup var content: ContentOptions
    @OptionGroup var login: LoginOptions

    @Option(help: "Sessions at the same time.")
    var sessions = 10

    @Option(help: "The number of the first session's user.")
    var firstUser = 1

    @Option(help: "The mailbox; created when it is missing.")
    var mailbox = "INBOX"

    @Option(help: "APPEND commands under way in one session (with LITERAL+).")
    var window = 1

    @Option(help: "auto (LITERAL+ where announced) or sync.")
    var literals = IMAPAppendLoad.Literals.automatic

    func run() async throws {
        var load = IMAPAppendLoad(endpoint: common.endpoint, login: login.login, mix: content.size)
        load.sessions = max(1, sessions)
        load.firstUser = firstUser
        load.amount = amount.amount
        load.seed = content.seed
        load.mailbox = mailbox
        load.window = window
        load.literals = literals
        try await common.report(load.run)
    }
}

struct FillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "imap-fill",
        abstract: "Append to one mailbox until it holds a number of messages."
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var content: ContentOptions
    @OptionGroup var login: LoginOptions

    @Option(help: "The number of the user.")
    var number = 1

    @Option(help: "The mailbox; created when it is missing.")
    var mailbox = "filled"

    @Option(help: "How many messages it shall hold.")
    var messages = 10_000

    func run() async throws {
        var load = IMAPAppendLoad(endpoint: common.endpoint, login: login.login, mix: content.size)
        load.sessions = 1
        load.firstUser = number
        load.upTo = messages
        load.seed = content.seed
        load.mailbox = mailbox
        load.window = 20
        try await common.report(load.run)
    }
}

struct MessageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "message",
        abstract: "Print one message of a load, to see what is sent."
    )

    @OptionGroup var content: ContentOptions

    @Argument(help: "The number of the message, from 0.")
    var index = 0

    func run() async throws {
        let source = MessageSource(mix: content.size, seed: content.seed, firstDate: 1_700_000_000)
        let message = source.message(
            index,
            from: "sender@sender.test",
            to: "u0001@bench.test"
        )
        print(message.text, terminator: "")
    }
}

extension IMAPIdleLoad.Rest: ExpressibleByArgument {}
extension IMAPAppendLoad.Literals: ExpressibleByArgument {}
