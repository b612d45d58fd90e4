import ArgumentParser
import Bench

@main
struct RelaisBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relais-bench",
        abstract: "A load generator for mail servers.",
        discussion: """
            Speaks SMTP, LMTP and IMAP and knows no server in particular. A load is determined by \
            its options and its seed, so that every server gets the same. Progress goes to \
            standard error, a table to standard output, and with --json everything to a file.

            Names of users are patterns: u%04d@bench.test means u0001@bench.test, u0002@bench.test …
            """,
        subcommands: [
            SMTPCommand.self, LMTPCommand.self, LoginCommand.self, IdleCommand.self,
            AppendCommand.self, FillCommand.self, FetchCommand.self, StoreCommand.self,
            SearchCommand.self, SelectCommand.self, MessageCommand.self,
        ]
    )
}
