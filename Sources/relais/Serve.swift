import ArgumentParser
import Journal
import Logging
import Node

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the platform; the journal goes to standard output.",
        discussion: "SIGTERM drains and stops, SIGHUP reads the certificates again."
    )

    @OptionGroup var common: ConfigurationOption

    func run() async throws {
        let settings = try common.settings()
        let level = settings.node.logLevel
        let log = Logger(label: "relais") { _ in LineLogHandler(level: level) }
        do {
            try await Node(settings, log: log).run()
        } catch {
            log.error("event=cannot_start reason=\(LogLine.quoted("\(error)"))")
            throw ExitCode.failure
        }
    }
}
