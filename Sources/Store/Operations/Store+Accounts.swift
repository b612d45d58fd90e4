import Database
package import Mail

/// The language of the names of mailboxes that come to life with an account.
package enum MailboxLanguage: String, Sendable {
    case english = "en"
    case french = "fr"

    /// Name and purpose; INBOX is created besides.
    var mailboxes: [(name: String, use: SpecialUse)] {
        switch self {
        case .english:
            [
                ("Drafts", .drafts), ("Sent", .sent), ("Junk", .junk), ("Trash", .trash),
                ("Archive", .archive),
            ]
        case .french:
            [
                ("Brouillons", .drafts), ("Envoyés", .sent), ("Indésirables", .junk),
                ("Corbeille", .trash), ("Archives", .archive),
            ]
        }
    }
}

extension Store {
    static let inbox = "INBOX"

    /// Creates INBOX and the usual mailboxes of `account` unless it has an INBOX; for a login
    /// before the first message.
    package func openAccount(
        _ account: AccountID,
        language: MailboxLanguage = .english
    ) async throws(StoreError) {
        let isThere = try await read { reader in
            try reader.first(SQL.mailboxByName, account, Self.inbox) { _ in true } ?? false
        }
        if isThere { return }
        try await write(for: account) { [self] transaction in
            try createAccount(account, language: language, in: transaction)
        }
    }

    /// Removes every mailbox, subscription and count of `account`.
    ///
    /// The messages stay until the purge, as those of a deleted mailbox do.
    package func removeAccount(_ account: AccountID) async throws(StoreError) {
        try await write(for: account) { [self] transaction in
            let mailboxes = try transaction.all(Self.selectIDs, account) { $0.int(0) }
            for mailbox in mailboxes {
                try remove(MailboxID(rawValue: mailbox), in: transaction)
            }
            try transaction.execute(Self.deleteSubscriptions, account)
            try transaction.execute(Self.deleteAccount, account)
        }
    }

    func createAccount(
        _ account: AccountID,
        language: MailboxLanguage,
        in transaction: Transaction
    ) throws {
        // Whoever comes second waits here for the first and then finds everything there.
        try transaction.execute(Self.insertAccount, account, clock())
        guard
            try transaction.first(SQL.mailboxByName, account, Self.inbox, body: { _ in true })
                == nil
        else { return }
        try insertMailbox(Self.inbox, of: account, use: nil, in: transaction)
        for (name, use) in language.mailboxes {
            let known = try transaction.first(SQL.mailboxByName, account, name) { _ in true }
            if known == nil {
                try insertMailbox(name, of: account, use: use, in: transaction)
            }
        }
    }

    private static let selectIDs: Statement =
        "SELECT id FROM mailbox WHERE account_id = $1 AND removed_at IS NULL"

    private static let deleteSubscriptions: Statement =
        "DELETE FROM subscription WHERE account_id = $1"

    private static let deleteAccount: Statement = "DELETE FROM store_account WHERE id = $1"
}
