package import Blobs
package import Database
import Mail
import Synchronization

/// Mailboxes and their messages.
///
/// Every write is one synchronous transaction on the lane of the account that owns the mailbox;
/// nothing awaits inside it, and none is open while a caller writes what it has read.
package final class Store: Sendable {
    let database: Database
    let blobs: Blobs
    let limits: Limits
    /// Unix milliseconds.
    let clock: @Sendable () -> Int64
    let images: ImageTable
    let compressor = Compressor()
    let bodyNumbers = Mutex<Range<Int64>>(0..<0)

    /// Tells sessions which mailboxes have changed.
    package let feed = ChangeFeed()

    package init(
        database: Database,
        blobs: Blobs,
        limits: Limits = Limits(),
        clock: @escaping @Sendable () -> Int64
    ) {
        self.database = database
        self.blobs = blobs
        self.limits = limits
        self.clock = clock
        images = ImageTable(recentLimit: limits.recentImages)
    }

    /// Brings the tables up to date; call it once before anything else.
    package func migrate() async throws(StoreError) {
        try await reporting { try await self.database.migrate("store", Self.migrations) }
    }

    /// Passes changes that other nodes make on to the sessions of this one, until cancelled.
    package func followOtherNodes() async {
        for await notice in database.listen(Self.channel) {
            switch notice {
            case .payload(let text): heard(text)
            case .missed:
                for image in images.all { image.doubt() }
                feed.tellAll()
            }
        }
    }

    /// Notices on this channel read `mailbox:mod-sequence`.
    static let channel = "relais_mailbox"

    private func heard(_ text: String) {
        let numbers = text.split(separator: ":").compactMap { Int64($0) }
        guard numbers.count == 2 else { return }
        let mailbox = MailboxID(rawValue: numbers[0])
        if let image = images.image(of: mailbox) {
            image.heard(of: numbers[1])
            if image.isBehind { feed.tell(mailbox) }
        }
    }

    /// Sizes and counts that bound what one operation may take.
    package struct Limits: Sendable {
        /// A body that compresses to more than this many bytes stands in `Blobs`.
        package var inlineBytes = 128 << 10
        /// A message of at least this size shares the body of an equal one stored before.
        ///
        /// Not below 32,768, where the index begins.
        package var sharedBodyBytes = 32 << 10
        /// A larger message is kept without folding its base64, which takes four times its size in
        /// memory.
        package var foldedBytes = 32 << 20
        /// A message of at most this size is prepared on the caller's thread.
        package var preparedInPlaceBytes = 64 << 10
        package var mailboxesPerAccount = 10_000
        /// Longest mailbox name, in bytes of UTF-8.
        package var mailboxNameBytes = 1_000
        package var mailboxNameLevels = 32
        /// Longest level of a mailbox name, in bytes of UTF-8.
        package var mailboxLevelBytes = 200
        /// Rows in one batch of a scan.
        package var batchRows = 2_048
        /// Bytes in one batch of rows or bodies; one body may be larger.
        package var batchBytes = 2 << 20
        /// Messages that one transaction of the purge removes.
        package var purgeRows = 2_000
        /// How long a body must have been without a name before it is removed.
        package var orphanMilliseconds: Int64 = 3_600_000
        /// How long a prepared message may wait for its delivery; well below the former.
        package var preparedMilliseconds: Int64 = 1_800_000
        /// Images kept in memory though no session has them open.
        package var recentImages = 64

        package init() {}
    }
}

// MARK: - Running

extension Store {
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Reader) throws -> Value
    ) async throws(StoreError) -> Value {
        try await reporting { try await self.database.read(body) }
    }

    func write<Value: Sendable>(
        for account: AccountID,
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws(StoreError) -> Value {
        try await reporting {
            try await self.database.write(lane: account.rawValue, body)
        }
    }

    func reporting<Value>(
        _ body: () async throws -> Value
    ) async throws(StoreError) -> Value {
        do {
            return try await body()
        } catch let error as StoreError {
            throw error
        } catch let error as DatabaseError {
            throw StoreError(error)
        } catch {
            throw .unavailable("\(error)")
        }
    }

    /// Announces `change` once the transaction is durable.
    func announce(_ change: CommittedChange, in transaction: Transaction) {
        transaction.afterCommit { [self] in
            images.image(of: change.mailbox)?.apply(change)
            feed.tell(change.mailbox)
        }
        if database.kind == .postgreSQL {
            transaction.notify(
                Self.channel,
                "\(change.mailbox.rawValue):\(change.modSeq.rawValue)"
            )
        }
    }
}

extension StoreError {
    init(_ error: DatabaseError) {
        self =
            switch error {
            case .unavailable(let text), .conflict(let text): .unavailable(text)
            case .constraint(_, let text), .failed(let text): .failed(text)
            case .newerProgram(let service): .failed("a newer program has migrated \(service)")
            }
    }
}
