import ArgumentParser
import Bench
import FoundationEssentials

/// Options of every load: the server and the output.
struct CommonOptions: ParsableArguments {
    @Option(help: "The server's address.")
    var host = "127.0.0.1"

    @Option(help: "The server's port.")
    var port: Int

    @Option(help: "plain, tls (from the first byte) or starttls; certificates are not verified.")
    var security = Endpoint.Security.plain

    @Option(help: ArgumentHelp("Write the results to this file too.", valueName: "file"))
    var json: String?

    @Option(help: "Event loops; one keeps a core busy and leaves the others to the server.")
    var threads = 1

    @Option(help: "Fail after so many seconds without any progress.")
    var patience = 60

    @Flag(help: "No progress on standard error.")
    var quiet = false

    var endpoint: Endpoint { Endpoint(host: host, port: port, security: security) }

    /// Runs a load and reports.
    func report(_ run: (Runner) async throws -> Report) async throws {
        let runner = Runner(
            threads: threads,
            progress: quiet ? .silent : .shown,
            patience: patience
        )
        let report = try await run(runner)
        print(report.table)
        if let json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try encoder.encode(report).write(to: URL(filePath: json))
        }
        if report.items == 0 { throw ExitCode.failure }
    }
}

/// How much a load does.
struct AmountOptions: ParsableArguments {
    @Option(help: "How many in all.")
    var count = 1000

    @Option(help: ArgumentHelp("Instead of a count: as many as fit.", valueName: "seconds"))
    var duration: Int?

    var amount: Amount { duration.map { .duration(seconds: $0) } ?? .count(count) }
}

/// What the messages of a load are like.
struct ContentOptions: ParsableArguments {
    @Option(
        help: "A size (4k), or sizes with weights (4k:70,30k:25,500k:5), or mix for just those."
    )
    var size = SizeMix(bytes: 4096)

    @Option(help: "Another seed makes other messages.")
    var seed: UInt64 = 1
}

/// Whom a load logs in.
struct LoginOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Pattern of the login names.", valueName: "pattern"))
    var user = NamePattern(before: "u", digits: 4, after: "@bench.test")

    @Option(help: "The password of all of them.")
    var password = "test"

    var login: Login { Login(names: user, password: password) }
}

extension NamePattern: ExpressibleByArgument {
    package init?(argument: String) { self.init(parsing: argument) }
}

extension SizeMix: ExpressibleByArgument {
    package init?(argument: String) { self.init(parsing: argument) }
}

extension Endpoint.Security: ExpressibleByArgument {}
