import ArgumentParser
import Glibc

@main
struct Relais: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relais",
        abstract: "A mail platform: SMTP, submission, LMTP, IMAP, queue and virus filtering.",
        version: "0.1.0",
        subcommands: [
            Serve.self, CheckConfig.self, ConfigReference.self, AccountCommand.self,
            QueueCommand.self, Fsck.self, Purge.self,
        ]
    )
}

/// Writes a line for whoever called the command, apart from its result.
func say(_ text: String) {
    var line = text + "\n"
    line.withUTF8 { bytes in
        _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
}
