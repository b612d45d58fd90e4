import ArgumentParser
import Foundation
import Logging
import Node

/// Every command's `--config`, and what follows from it.
struct ConfigurationOption: ParsableArguments {
    @Option(name: .long, help: "The configuration file.")
    var config = "/etc/relais/relais.toml"

    func settings() throws -> Settings {
        let text: String
        do {
            text = try String(contentsOfFile: config, encoding: .utf8)
        } catch {
            throw ValidationError("cannot read \(config): \(error.localizedDescription)")
        }
        do {
            return try Settings(file: config, text: text)
        } catch {
            for problem in error.problems { say("\(problem)") }
            throw ExitCode(78)
        }
    }

    /// Opens the services, runs `body`, closes them.
    func withPlatform<Value>(_ body: (Platform) async throws -> Value) async throws -> Value {
        let settings = try settings()
        // A command's own output is its result; only what is wrong is logged.
        let log = Logger(label: "relais") { _ in LineLogHandler(level: .warning) }
        let platform: Platform
        do {
            platform = try await Platform.open(settings, log: log)
        } catch {
            say("\(error)")
            throw ExitCode.failure
        }
        do {
            let value = try await body(platform)
            await platform.close()
            return value
        } catch {
            await platform.close()
            if error is ExitCode { throw error }
            say("relais: \(error)")
            throw ExitCode.failure
        }
    }
}

struct CheckConfig: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read the configuration and say every mistake with its line."
    )

    @OptionGroup var common: ConfigurationOption

    func run() throws {
        let settings = try common.settings()
        do {
            try settings.rehearse()
        } catch {
            say("\(common.config): \(error)")
            throw ExitCode(78)
        }
        print(
            "\(common.config): good; \(settings.listeners.count) listeners,"
                + " domains \(settings.mail.domains.joined(separator: ", "))"
        )
    }
}

struct ConfigReference: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the reference of every configuration key, as Markdown."
    )

    func run() {
        print(Settings.reference(), terminator: "")
    }
}
