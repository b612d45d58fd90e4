import ArgumentParser
import Bench

/// Options of the commands that ask a selected mailbox again and again.
struct RoundsOptions: ParsableArguments {
    @OptionGroup var common: CommonOptions
    @OptionGroup var login: LoginOptions

    @Option(help: "The number of the (first) user.")
    var number = 1

    @Option(help: "The mailbox.")
    var mailbox = "INBOX"

    @Option(help: "How often each session asks.")
    var rounds = 5

    @Option(help: "Sessions at the same time.")
    var sessions = 1

    @Flag(help: "Each session takes a user of its own instead of sharing the first one's mailbox.")
    var userEach = false

    func run(
        _ question: IMAPRoundsLoad.Question,
        set: String = "1:*",
        batch: Int? = nil
    ) async throws {
        var load = IMAPRoundsLoad(
            endpoint: common.endpoint,
            login: login.login,
            question: question
        )
        load.firstUser = number
        load.mailbox = mailbox
        load.rounds = max(1, rounds)
        load.sessions = max(1, sessions)
        load.sharing = userEach ? .userEach : .oneUser
        load.set = set
        load.batch = batch
        try await common.report(load.run)
    }
}

struct FetchCommand: AsyncParsableCommand {
    /// Names for the items that clients really ask for.
    static let presets = [
        "flags": "(FLAGS)",
        "envelope": "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)",
        "structure": "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)",
        "headers": "(UID FLAGS BODY.PEEK[HEADER.FIELDS (DATE FROM TO CC SUBJECT MESSAGE-ID)])",
        "body": "(UID BODY.PEEK[])",
    ]

    static let configuration = CommandConfiguration(
        commandName: "imap-fetch",
        abstract: "FETCH messages; rates in messages and in megabytes per second.",
        discussion: """
            --items takes flags, envelope (with UID, FLAGS, INTERNALDATE, RFC822.SIZE), structure \
            (envelope and BODYSTRUCTURE), headers, body (BODY.PEEK[]), or the words of a FETCH.
            """
    )

    @OptionGroup var rounds: RoundsOptions

    @Option(help: "What to fetch.")
    var items = "flags"

    @Option(help: "Which messages.")
    var set = "1:*"

    @Option(help: "Walk through the mailbox with so many messages per command.")
    var batch: Int?

    func run() async throws {
        try await rounds.run(
            .fetch(items: Self.presets[items] ?? items),
            set: set,
            batch: batch.map { max(1, $0) }
        )
    }
}

struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "imap-store",
        abstract: "STORE flags: added in one round, removed in the next."
    )

    @OptionGroup var rounds: RoundsOptions

    @Option(help: "The flags.")
    var flags = "(\\Flagged)"

    @Option(help: "Which messages.")
    var set = "1:*"

    @Option(help: "Walk through the mailbox with so many messages per command.")
    var batch: Int?

    @Flag(help: "FLAGS.SILENT: no untagged responses.")
    var silent = false

    func run() async throws {
        try await rounds.run(
            .store(flags: flags, silent: silent),
            set: set,
            batch: batch.map { max(1, $0) }
        )
    }
}

struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "imap-search",
        abstract: "SEARCH; the rate is that of the messages in the mailbox."
    )

    @OptionGroup var rounds: RoundsOptions

    @Option(help: "The search key.")
    var key = "TEXT \"nowhere to be found\""

    func run() async throws {
        try await rounds.run(.search(key: key))
    }
}

struct SelectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "imap-select",
        abstract: "SELECT a mailbox (or ask its STATUS) again and again."
    )

    @OptionGroup var rounds: RoundsOptions

    @Flag(help: "STATUS instead of SELECT.")
    var status = false

    func run() async throws {
        try await rounds.run(status ? .status : .select)
    }
}
