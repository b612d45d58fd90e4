import Blobs
import Database
import Directory
import Filter
import Foundation
import Journal
import Logging
import Mail
import Net
import Queue
import SMTP
import Store
import TestRig
import Testing
import Transfer

/// A real door on a loopback port, over a new database.
struct DoorRig: Sendable {
    let database: Database
    let directory: Directory
    let store: Store
    let queue: Queue
    let budget: BodyBudget
    let throttle: AuthenticationThrottle
    let endpoint: Endpoint
    let server: Server

    /// What a test decides about its door.
    struct Options: Sendable {
        var engine = TestEngine.sqlite
        var role = DoorRole.mx
        var limits = ConversationLimits(messageSize: 100_000)
        var patience = Patience()
        var allowsCleartextLogin = true
        var mailboxes: [String] = []
        /// Octets by address.
        var quotas: [String: Int64] = [:]
        var policy = DeliveryPolicy(
            language: .english,
            postmaster: EmailAddress(parsing: "postmaster@example.org")
        )
        var engines: [TestContentEngine] = []
        var budget = 10_000_000
        var throttle = AuthenticationThrottle.Limits()
        var implicitTLS = false

        init() {
            throttle.delay = .milliseconds(1)
        }
    }

    /// Unix milliseconds at which every rig's clock stands: 14 November 2023, 22:13:20 UTC.
    static let now: Int64 = 1_700_000_000_000

    /// Runs `body` beside a door; every mailbox has its local part as login, `secret` as password.
    static func with(
        _ options: Options = Options(),
        _ body: @escaping @Sendable (DoorRig) async throws -> Void
    ) async throws {
        let temporary = try TemporaryDatabase(options.engine)
        let folder = try TemporaryFolder.make()
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let journal = Journal(log: log)
        let clock: @Sendable () -> Int64 = { now }
        let random: @Sendable (Int) -> [UInt8] = { count in
            (0..<count).map { _ in UInt8.random(in: 0...255) }
        }
        let database = try await Database.open(temporary.url, log: log)
        let blobs = try await Blobs(root: folder + "/blobs")
        let store = Store(database: database, blobs: blobs, clock: clock)
        try await store.migrate()
        let queue = Queue(
            database: database,
            clock: clock,
            randomness: { UInt64.random(in: 0...UInt64.max) }
        )
        try await queue.migrate()
        let directory = try await Directory.open(
            on: database,
            settings: Directory.Settings(
                domains: ["example.org"],
                postmaster: options.policy.postmaster
            ),
            clock: clock,
            random: random
        )
        for mailbox in options.mailboxes {
            let address = try #require(EmailAddress(parsing: mailbox))
            let login = address.localPart.utf8.allSatisfy { $0 < 0x80 } ? address.localPart : "utf8"
            var account = NewAccount(login: login, address: address)
            account.password = "secret"
            account.quotaBytes = options.quotas[mailbox]
            _ = try await directory.addAccount(account)
        }
        let budget = BodyBudget(limit: options.budget)
        let throttle = AuthenticationThrottle(limits: options.throttle, clock: clock)
        let parts = DoorParts(
            database: database,
            directory: directory,
            store: store,
            queue: queue,
            filter: Filter(options.engines.map { Filter.Member($0) }, journal: journal),
            journal: journal,
            budget: budget,
            throttle: throttle,
            notifications: NotificationRouter(
                directory: directory,
                store: store,
                queue: queue,
                journal: journal,
                policy: options.policy,
                hostName: "mx.example.org",
                clock: clock,
                random: random
            ),
            policy: options.policy,
            clock: clock,
            random: random
        )
        let identity = try await TestIdentity.shared.identity()
        let door = SMTPDoor(
            DoorSettings(
                role: options.role,
                hostName: "mx.example.org",
                tls: identity,
                allowsCleartextLogin: options.allowsCleartextLogin,
                limits: options.limits,
                patience: options.patience
            ),
            parts: parts
        )
        let loopback = try #require(Endpoint("127.0.0.1:0"))
        let server = Server(
            [Listener(loopback, security: options.implicitTLS ? .implicit(identity) : .plain)],
            refusal: door.refusal
        )
        let endpoint = try #require(try await server.bind().first)
        let rig = DoorRig(
            database: database,
            directory: directory,
            store: store,
            queue: queue,
            budget: budget,
            throttle: throttle,
            endpoint: endpoint,
            server: server
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await server.serve { await door.serve($0) } }
            var failure: (any Error)?
            do { try await body(rig) } catch { failure = error }
            await server.drain(within: .seconds(2))
            try await group.waitForAll()
            if let failure { throw failure }
        }
        try await database.close()
        TemporaryFolder.remove(folder)
    }

    var port: Int { Int(endpoint.port ?? 0) }

    /// The messages in the INBOX of a login or address, oldest first, with their trace fields.
    func messages(of login: String) async throws -> [[UInt8]] {
        guard let account = try await directory.account(login: login) else { return [] }
        let image: MailboxImage
        do {
            image = try await store.open("INBOX", in: account.id, by: account.id)
        } catch {
            guard error == .noSuchMailbox else { throw error }
            return []
        }
        var messages: [[UInt8]] = []
        var scan = store.bodies(of: UIDSet(1...UInt32.max), in: image)
        while let batch = try await scan.next() {
            messages += batch.map { Array($0.bytes) }
        }
        return messages
    }
}

/// A content engine that says what the test wants to hear.
struct TestContentEngine: ContentEngine {
    let name = "test"
    let verdict: EngineVerdict

    func scan(_ message: [UInt8], within budget: Duration) async -> EngineVerdict { verdict }
}

/// One self-signed certificate for `mx.example.org` for all tests of this process.
actor TestIdentity {
    static let shared = TestIdentity()
    private var making: Task<TLSIdentity, any Error>?

    func identity() async throws -> TLSIdentity {
        if let making { return try await making.value }
        let task = Task {
            let folder = try TemporaryFolder.make()
            let (certificate, key) = ("\(folder)/cert.pem", "\(folder)/key.pem")
            let made = try await command([
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=mx.example.org",
                "-addext", "subjectAltName=DNS:mx.example.org", "-keyout", key, "-out",
                certificate,
            ])
            try #require(made.status == 0, "\(made.output)")
            return try TLSIdentity(certificatePath: certificate, keyPath: key)
        }
        making = task
        return try await task.value
    }
}

/// What a program that is not ours said and how it ended.
struct CommandOutcome: Sendable {
    let status: Int32
    let output: String
}

/// Runs a program of the system to its end with `input` as its standard input.
func command(_ arguments: [String], input: String = "") async throws -> CommandOutcome {
    try await BlockingThreads.shared.run {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stdout
        try process.run()
        stdin.fileHandleForWriting.write(Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let output = stdout.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return CommandOutcome(
            status: process.terminationStatus,
            output: String(decoding: output, as: UTF8.self)
        )
    }
}
