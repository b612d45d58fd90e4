import ArgumentParser
import Node
import Store

struct Fsck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the whole store: counters, state, quota, bodies, references.",
        discussion: "Changes nothing. Exits with 1 when something is wrong."
    )

    @OptionGroup var common: ConfigurationOption
    @Flag(help: "Also read every body and compare it with its hash.") var bodies = false

    func run() async throws {
        try await common.withPlatform { platform in
            let findings = try await platform.store.check(bodies: bodies ? .contents : .rows)
            for finding in findings { print(finding) }
            guard findings.isEmpty else {
                say("\(findings.count) findings")
                throw ExitCode.failure
            }
            print("the store is consistent")
        }
    }
}

struct Purge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove for good what was expunged or deleted some days ago.",
        discussion: "The server does this by itself, after [mail] keep_expunged_days."
    )

    @OptionGroup var common: ConfigurationOption
    @Option(help: "Keep what is younger than this many days.") var days: Int

    func run() async throws {
        guard days >= 0 else { throw ValidationError("days is not negative") }
        try await common.withPlatform { platform in
            let result = try await Upkeep(platform).purge(olderThanDays: days)
            print("\(result.messages) messages and \(result.mailboxes) mailboxes removed")
        }
    }
}
