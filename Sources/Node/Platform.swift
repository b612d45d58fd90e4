package import Blobs
package import Database
package import Directory
import Glibc
package import Journal
package import Logging
import Mail
package import Queue
package import Store

/// The services of a node, opened: what the doors stand on, and what the command line works with.
package struct Platform: Sendable {
    package let settings: Settings
    package let log: Logger
    package let journal: Journal
    package let database: Database
    package let blobs: Blobs
    package let directory: Directory
    package let store: Store
    package let queue: Queue

    /// Opens the database and the bodies, and brings every table up to date.
    package static func open(
        _ settings: Settings,
        log: Logger
    ) async throws(StartError) -> Platform {
        let data = settings.node.data
        // Mail is nobody else's business: files of ours are closed to others.
        umask(0o027)
        try makeFolder(data)
        var databaseSettings = Database.Settings()
        databaseSettings.lanes = settings.database.lanes
        databaseSettings.readers = settings.database.readers
        let url = settings.database.url ?? "sqlite:\(data)/relais.db"
        do {
            let database = try await Database.open(url, settings: databaseSettings, log: log)
            let blobs = try await Blobs(root: "\(data)/blobs")
            let directory = try await Directory.open(
                on: database,
                settings: Directory.Settings(
                    domains: Set(settings.mail.domains),
                    postmaster: settings.mail.postmaster
                ),
                clock: Platform.clock,
                random: Platform.random
            )
            let store = Store(database: database, blobs: blobs, clock: Platform.clock)
            try await store.migrate()
            let queue = Queue(
                database: database,
                schedule: try settings.queue.schedule(),
                clock: Platform.clock,
                randomness: Platform.randomNumber
            )
            try await queue.migrate()
            return Platform(
                settings: settings,
                log: log,
                journal: Journal(log: log),
                database: database,
                blobs: blobs,
                directory: directory,
                store: store,
                queue: queue
            )
        } catch let error as StartError {
            throw error
        } catch {
            throw StartError("cannot open \(Self.withoutPassword(url)): \(error)")
        }
    }

    /// Finishes what is being written and closes the database.
    package func close() async {
        do {
            try await database.close()
        } catch {
            log.error("closing the database: \(error)")
        }
    }

    /// Unix milliseconds.
    package static let clock: @Sendable () -> Int64 = {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// That many bytes of the system's generator.
    package static let random: @Sendable (Int) -> [UInt8] = { count in
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// 64 bits of the system's generator.
    package static let randomNumber: @Sendable () -> UInt64 = {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    private static func makeFolder(_ path: String) throws(StartError) {
        guard mkdir(path, 0o750) != 0, errno != EEXIST else { return }
        throw StartError("cannot create \(path): \(String(cString: strerror(errno)))")
    }

    /// The URL as it may stand in a log.
    static func withoutPassword(_ url: String) -> String {
        guard let at = url.lastIndex(of: "@"), let scheme = url.firstRange(of: "://") else {
            return url
        }
        let user = url[scheme.upperBound..<at].prefix { $0 != ":" }
        return "\(url[..<scheme.upperBound])\(user)\(url[at...])"
    }
}

/// Why a node does not start, in words for the operator.
package struct StartError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

extension QueueSettings {
    /// The schedule of attempts that these settings mean.
    func schedule() throws(StartError) -> RetrySchedule {
        let minute: Int64 = 60_000
        let hour = 60 * minute
        let lifetime = Int64(lifetimeHours) * hour
        guard
            let schedule = RetrySchedule(
                waits: retryMinutes.map { Int64($0) * minute },
                lifetime: lifetime,
                warning: delayWarningHours == 0 ? lifetime + hour : Int64(delayWarningHours) * hour
            )
        else { throw StartError("[queue] does not make a schedule of attempts") }
        return schedule
    }
}

extension Settings {
    /// The default limit of accounts that have none of their own.
    package var defaultQuota: QuotaLimit {
        QuotaLimit(
            bytes: mail.quotaMegabytes == 0 ? nil : Int64(mail.quotaMegabytes) << 20,
            messages: mail.quotaMessages == 0 ? nil : Int64(mail.quotaMessages)
        )
    }

    /// How folders are called in accounts that come to life.
    package var folderLanguage: MailboxLanguage {
        switch node.language {
        case .french: .french
        case .english: .english
        }
    }
}
