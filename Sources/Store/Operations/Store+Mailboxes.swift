import Database
package import Mail

/// A mailbox with its counters, as LIST and STATUS need it.
///
/// RFC 9051 §6.3.11
package struct MailboxSummary: Hashable, Sendable {
    package let id: MailboxID
    package let owner: AccountID
    /// Levels separated by `/`; INBOX in capitals.
    package let name: String
    package let specialUse: SpecialUse?
    package let uidValidity: UIDValidity
    package let uidNext: UInt32
    package let highestModSeq: ModSeq
    package let messages: Int
    package let unseen: Int
    package let deleted: Int
    /// Sum of RFC822.SIZE.
    package let size: Int64
}

/// All mailboxes of an account, and the names it is subscribed to, which need not exist.
package struct MailboxList: Sendable {
    /// In the order of the bytes of their names.
    package let mailboxes: [MailboxSummary]
    package let subscriptions: Set<String>
}

// Names are decoded UTF-8, levels separated by `/`, INBOX in capitals. `agent` is who asks; the
// mailboxes are those of `account`. Both are the same until mailboxes are shared.
extension Store {
    /// The mailboxes of `account` that `agent` may see.
    package func list(
        of account: AccountID,
        by agent: AccountID
    ) async throws(StoreError) -> MailboxList {
        try await read { reader in
            let mailboxes = try reader.all(Self.selectAll, account) { row in MailboxSummary(row) }
            let names = try reader.all(Self.selectSubscriptions, account) { $0.text(0) }
            return MailboxList(
                mailboxes: mailboxes.sorted {
                    $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
                },
                subscriptions: Set(names)
            )
        }
    }

    /// The counters of one mailbox.
    package func status(
        of name: String,
        in account: AccountID,
        by agent: AccountID
    ) async throws(StoreError) -> MailboxSummary {
        let found = try await read { reader in
            try reader.first(Self.selectOne, account, name) { row in MailboxSummary(row) }
        }
        guard let found else { throw .noSuchMailbox }
        return found
    }

    /// Creates a mailbox and those above it that do not exist; a `/` at the end is ignored.
    ///
    /// RFC 9051 §6.3.4, RFC 6154 §3
    @discardableResult
    package func create(
        _ name: String,
        in account: AccountID,
        specialUse: SpecialUse? = nil,
        by agent: AccountID
    ) async throws(StoreError) -> MailboxID {
        let name = try valid(name.hasSuffix("/") ? String(name.dropLast()) : name)
        guard name != Self.inbox else { throw .mailboxExists }
        return try await write(for: account) { [self] transaction in
            try createAccount(account, language: .english, in: transaction)
            guard try transaction.first(SQL.mailboxByName, account, name, body: { _ in 0 }) == nil
            else { throw StoreError.mailboxExists }
            try createParents(of: name, in: account, transaction)
            return try insertMailbox(name, of: account, use: specialUse, in: transaction)
        }
    }

    /// Deletes a mailbox; those below it stay.
    ///
    /// What it held is kept until the purge.
    ///
    /// RFC 9051 §6.3.5
    package func delete(
        _ name: String,
        in account: AccountID,
        by agent: AccountID
    ) async throws(StoreError) {
        guard name != Self.inbox else { throw .inboxStays }
        try await write(for: account) { [self] transaction in
            let found = try transaction.first(SQL.mailboxByName, account, name) { row in
                (id: row.int(0), messages: row.int(4), size: row.int(5))
            }
            guard let found else { throw StoreError.noSuchMailbox }
            try remove(MailboxID(rawValue: found.id), in: transaction)
            try transaction.submit(SQL.freeQuota, account, found.size, found.messages)
        }
    }

    /// Renames a mailbox with those below it.
    ///
    /// Renaming INBOX moves its messages into a new mailbox
    /// and leaves it empty; those below INBOX stay.
    ///
    /// RFC 9051 §6.3.6
    package func rename(
        _ name: String,
        to newName: String,
        in account: AccountID,
        by agent: AccountID
    ) async throws(StoreError) {
        let newName = try valid(newName)
        guard newName != Self.inbox else { throw .mailboxExists }
        try await write(for: account) { [self] transaction in
            let names = try transaction.all(Self.selectNames, account) { row in
                (id: row.int(0), name: row.text(1))
            }
            let taken = Set(names.map(\.name))
            guard taken.contains(name) || names.contains(where: { $0.name.hasPrefix(name + "/") })
            else { throw StoreError.noSuchMailbox }
            guard !taken.contains(newName) else { throw StoreError.mailboxExists }
            guard !newName.hasPrefix(name + "/") else { throw StoreError.invalidName }
            if name == Self.inbox {
                try createParents(of: newName, in: account, transaction)
                let target = try insertMailbox(newName, of: account, use: nil, in: transaction)
                try moveAll(of: account, from: Self.inbox, to: target, in: transaction)
                return
            }
            // First what moves, then the parents: one of them may be what has just moved away.
            for (id, old) in names where old == name || old.hasPrefix(name + "/") {
                let moved = newName + old.dropFirst(name.count)
                guard !taken.contains(moved) else { throw StoreError.mailboxExists }
                _ = try valid(moved)
                try transaction.execute(Self.setName, id, moved)
            }
            try createParents(of: newName, in: account, transaction)
        }
    }

    /// Subscribes to a name, which need not exist.
    ///
    /// RFC 9051 §6.3.7
    package func subscribe(
        to name: String,
        in account: AccountID,
        by agent: AccountID
    ) async throws(StoreError) {
        let name = try valid(name)
        try await write(for: account) { transaction in
            try transaction.submit(Self.insertSubscription, account, name)
        }
    }

    /// Forgets a subscription; does nothing when there is none.
    package func unsubscribe(
        from name: String,
        in account: AccountID,
        by agent: AccountID
    ) async throws(StoreError) {
        try await write(for: account) { transaction in
            try transaction.submit(Self.deleteSubscription, account, name)
        }
    }
}

// MARK: - Rows

extension Store {
    /// Refuses names that have an empty level, a control character, or too many bytes or levels, and
    /// levels that no file system takes for a name, because clients keep mailboxes as folders.
    func valid(_ name: String) throws(StoreError) -> String {
        let levels = name.split(separator: "/", omittingEmptySubsequences: false)
        guard name.utf8.count <= limits.mailboxNameBytes, levels.count <= limits.mailboxNameLevels,
            !levels.contains(where: {
                $0.isEmpty || $0 == "." || $0 == ".." || $0.utf8.count > limits.mailboxLevelBytes
            }),
            !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw .invalidName }
        return name
    }

    @discardableResult
    func insertMailbox(
        _ name: String,
        of account: AccountID,
        use: SpecialUse?,
        in transaction: Transaction
    ) throws -> MailboxID {
        let count = try transaction.first(Self.countMailboxes, account) { $0.int(0) } ?? 0
        guard count < limits.mailboxesPerAccount else { throw StoreError.tooManyMailboxes }
        let now = clock()
        let id = try transaction.first(SQL.advanceSequence, "mailbox", 1) { $0.int(0) }
        // Seconds at first, and one more where that is taken: greater than any value given before,
        // also after a restore from a backup.
        let validity = try transaction.first(
            SQL.advanceUIDValidity,
            min(max(1, now / 1_000), Int64(UInt32.max))
        ) { $0.int(0) }
        guard let id, id <= Int64(Int32.max), let validity, validity <= Int64(UInt32.max) else {
            throw StoreError.failed("mailbox numbers or UIDVALIDITY values are exhausted")
        }
        try transaction.execute(
            Self.insert,
            id,
            account,
            name,
            validity,
            use?.rawValue,
            now
        )
        try transaction.submit(Self.insertSubscription, account, name)
        return MailboxID(rawValue: id)
    }

    /// Takes a mailbox out of sight; its rows stay until the purge.
    func remove(_ mailbox: MailboxID, in transaction: Transaction) throws {
        try transaction.execute(Self.markRemoved, mailbox, clock())
        transaction.afterCommit { [self] in
            images.image(of: mailbox)?.remove()
            feed.tell(mailbox)
        }
        if database.kind == .postgreSQL {
            transaction.notify(Self.channel, "\(mailbox.rawValue):\(Int64.max)")
        }
    }

    private func createParents(
        of name: String,
        in account: AccountID,
        _ transaction: Transaction
    ) throws {
        var parent = ""
        for level in name.split(separator: "/").dropLast() {
            parent += parent.isEmpty ? String(level) : "/" + level
            let known = try transaction.first(SQL.mailboxByName, account, parent) { _ in true }
            if known == nil {
                try insertMailbox(parent, of: account, use: nil, in: transaction)
            }
        }
    }

    private static let selectAll: Statement = """
        SELECT id, account_id, name, special_use, uidvalidity, uidnext, highestmodseq, messages,
            unseen, deleted, size
        FROM mailbox WHERE account_id = $1 AND removed_at IS NULL
        """

    private static let selectOne: Statement = """
        SELECT id, account_id, name, special_use, uidvalidity, uidnext, highestmodseq, messages,
            unseen, deleted, size
        FROM mailbox WHERE account_id = $1 AND name = $2
        """

    private static let selectNames: Statement =
        "SELECT id, name FROM mailbox WHERE account_id = $1 AND removed_at IS NULL"

    private static let countMailboxes: Statement =
        "SELECT count(*) FROM mailbox WHERE account_id = $1 AND removed_at IS NULL"

    private static let insert: Statement = """
        INSERT INTO mailbox (id, account_id, name, uidvalidity, uidnext, highestmodseq, messages,
            unseen, deleted, size, special_use, read_state, created, purged_modseq)
        VALUES ($1, $2, $3, $4, 1, 1, 0, 0, 0, 0, $5, 0, $6, 0)
        """

    private static let setName: Statement = "UPDATE mailbox SET name = $2 WHERE id = $1"

    private static let markRemoved: Statement = """
        UPDATE mailbox SET removed_name = name, name = NULL, removed_at = $2
        WHERE id = $1 AND removed_at IS NULL
        """

    private static let selectSubscriptions: Statement =
        "SELECT name FROM subscription WHERE account_id = $1"

    private static let insertSubscription: Statement = """
        INSERT INTO subscription (account_id, name) VALUES ($1, $2)
        ON CONFLICT (account_id, name) DO NOTHING
        """

    private static let deleteSubscription: Statement =
        "DELETE FROM subscription WHERE account_id = $1 AND name = $2"
}

extension MailboxSummary {
    init(_ row: borrowing Row) {
        id = MailboxID(rawValue: row.int(0))
        owner = AccountID(rawValue: row.int(1))
        name = row.text(2)
        specialUse = row.textOrNil(3).flatMap(SpecialUse.init(rawValue:))
        uidValidity = UIDValidity(rawValue: UInt32(truncatingIfNeeded: row.int(4)))
        uidNext = UInt32(truncatingIfNeeded: row.int(5))
        highestModSeq = ModSeq(rawValue: row.int(6))
        messages = Int(row.int(7))
        unseen = Int(row.int(8))
        deleted = Int(row.int(9))
        size = row.int(10)
    }
}
