import Access
import Blobs
import Database
import Directory
import Foundation
import Journal
import Logging
import Mail
import Net
import Store
import Synchronization
import TestRig
import Testing

/// The real IMAP door on a loopback port, over a new SQLite database.
final class IMAPRig: Sendable {
    let database: Database
    let store: Store
    let directory: Directory
    let account: Account
    let door: IMAPDoor
    let endpoint: Endpoint
    let server: Server

    /// Unix milliseconds at which every rig's clock stands: 14 November 2023, 22:13:20 UTC.
    static let start: Int64 = 1_700_000_000_000

    private init(
        _ database: Database,
        _ store: Store,
        _ directory: Directory,
        _ account: Account,
        _ door: IMAPDoor,
        _ endpoint: Endpoint,
        _ server: Server
    ) {
        self.database = database
        self.store = store
        self.directory = directory
        self.account = account
        self.door = door
        self.endpoint = endpoint
        self.server = server
    }

    /// What a test decides about its server.
    struct Options: Sendable {
        var settings = IMAPSettings()
        var engine = TestEngine.sqlite
        var cleartextLogin = CleartextLogin.allowed
        var quotaBytes: Int64?
        var quotaMessages: Int64?

        init() {
            settings.failedLoginDelay = .milliseconds(1)
        }
    }

    /// Runs `body` beside a server with an account `anne`, password `demo`.
    static func with(
        _ options: Options = Options(),
        _ body: @escaping @Sendable (IMAPRig) async throws -> Void
    ) async throws {
        let temporary = try TemporaryDatabase(options.engine)
        let folder = try TemporaryFolder.make()
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let database = try await Database.open(temporary.url, log: log)
        let random: @Sendable (Int) -> [UInt8] = { count in
            (0..<count).map { _ in UInt8.random(in: 0...255) }
        }
        let clock: @Sendable () -> Int64 = { start }
        let store = Store(
            database: database,
            blobs: try await Blobs(root: folder + "/blobs"),
            clock: clock
        )
        try await store.migrate()
        let directory = try await Directory.open(
            on: database,
            settings: Directory.Settings(domains: ["demo.example"], postmaster: nil),
            clock: clock,
            random: random
        )
        let address = try #require(EmailAddress(localPart: "anne", domain: "demo.example"))
        var new = NewAccount(login: "anne", address: address)
        new.password = "demo"
        new.quotaBytes = options.quotaBytes
        new.quotaMessages = options.quotaMessages
        let account = try await directory.addAccount(new)
        let door = IMAPDoor(
            settings: options.settings,
            store: store,
            directory: directory,
            journal: Journal(log: log),
            clock: clock,
            random: random
        )
        let loopback = try #require(Endpoint("127.0.0.1:0"))
        let server = Server([Listener(loopback)], refusal: IMAPDoor.farewell)
        let endpoint = try #require(try await server.bind().first)
        let rig = IMAPRig(database, store, directory, account, door, endpoint, server)
        let cleartextLogin = options.cleartextLogin
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await server.serve { await door.serve($0, cleartextLogin: cleartextLogin) }
            }
            var failure: (any Error)?
            do { try await body(rig) } catch { failure = error }
            await server.drain(within: .seconds(2))
            try await group.waitForAll()
            if let failure { throw failure }
        }
        try await database.close()
        TemporaryFolder.remove(folder)
    }

    /// Puts a message into a mailbox as a delivery would.
    @discardableResult
    func deliver(
        _ text: String,
        to mailbox: String = "INBOX",
        flags: Set<Flag> = [],
        internalDate: Int64? = nil
    ) async throws -> PlacedMessages {
        try await store.openAccount(account.id)
        let prepared = try await store.prepare(Array(text.utf8))
        return try await store.append(
            [AppendedMessage(prepared, flags: flags, internalDate: internalDate)],
            to: mailbox,
            in: account.id,
            by: account.id
        )
    }

    /// The `number`th of the plain messages that transcripts know: one a day from 1 January 2024.
    static func plain(_ number: Int) -> String {
        """
        From: Benoit <benoit@demo.example>\r
        To: anne@demo.example\r
        Subject: Message \(number)\r
        Date: \(number < 10 ? "Mon, 0" : "Tue, ")\(number) Jan 2024 08:00:00 +0100\r
        Message-ID: <m\(number)@demo.example>\r
        \r
        Body \(number)\r

        """
    }

    /// A message in two parts: text in quoted-printable, bytes in base64.
    static let parts = """
        From: =?UTF-8?Q?Ben=C3=B4it?= <benoit@demo.example>\r
        To: anne@demo.example\r
        Subject: =?ISO-8859-1?Q?D=E9jeuner?=\r
        Date: Fri, 05 Jan 2024 08:00:00 +0100\r
        MIME-Version: 1.0\r
        Content-Type: multipart/mixed; boundary="xx"\r
        \r
        --xx\r
        Content-Type: text/plain; charset=iso-8859-1\r
        Content-Transfer-Encoding: quoted-printable\r
        \r
        Caf=E9 =E0 midi\r
        --xx\r
        Content-Type: application/octet-stream\r
        Content-Transfer-Encoding: base64\r
        \r
        AAEC/w==\r
        --xx\r
        Content-Type: text/plain\r
        Content-Transfer-Encoding: x-strange\r
        \r
        strange\r
        --xx--\r

        """
}
