import Database
package import Mail
import Net
import SASL

extension Directory {
    /// Longest login, in bytes.
    package static let loginLength = 64

    /// Creates an account with its primary address.
    @discardableResult
    package func addAccount(_ new: NewAccount) async throws(DirectoryError) -> Account {
        let login = new.login.lowercased()
        guard Self.isLogin(login) else { throw .invalidLogin(new.login) }
        guard isLocal(new.address.domain) else { throw .foreignDomain(new.address.domain) }
        var credential: SCRAMCredential?
        if let password = new.password { credential = try await derive(password) }
        let scram = credential?.text
        let now = clock()
        return try await change { transaction in
            let id = try transaction.first(
                SQL.insertAccount,
                login,
                new.kind.rawValue,
                new.quotaBytes,
                new.quotaMessages,
                new.language,
                new.displayName,
                now
            ) { AccountID(rawValue: $0.int(0)) }
            guard let id else { throw DirectoryError.loginExists(login) }
            try Self.insert(new.address, of: id, in: transaction)
            if let scram { try transaction.submit(SQL.putCredential, id.rawValue, scram) }
            guard let entry = try transaction.first(SQL.byLogin, login, body: { Entry($0) }) else {
                throw DirectoryError.noSuchAccount(login)
            }
            return entry.account
        }
    }

    /// Accounts in the order of their logins, beginning after `login`.
    package func accounts(
        after login: String = "",
        limit: Int = 1_000
    ) async throws(DirectoryError) -> [AccountListing] {
        try await asking {
            try await self.database.read { reader in
                let entries = try reader.all(SQL.page, login, limit) { Entry($0) }
                return try entries.map { entry in
                    let addresses = try reader.all(SQL.addresses, entry.account.id.rawValue) {
                        row in
                        EmailAddress(localPart: row.text(0), domain: row.text(1))
                    }
                    return AccountListing(
                        account: entry.account,
                        addresses: addresses.compactMap { $0 },
                        hasPassword: entry.credential != nil
                    )
                }
            }
        }
    }

    /// Sets the password of a login; SCRAM and PLAIN work with the new one at once.
    package func setPassword(
        _ password: String,
        of login: String
    ) async throws(DirectoryError) {
        let credential = try await derive(password)
        try await change(login) { account, transaction in
            try transaction.submit(SQL.putCredential, account.id.rawValue, credential.text)
        }
    }

    /// Sets the account's own limits; nil is the platform's default.
    package func setQuota(
        bytes: Int64?,
        messages: Int64?,
        of login: String
    ) async throws(DirectoryError) {
        try await change(login) { account, transaction in
            try transaction.submit(SQL.setQuota, account.id.rawValue, bytes, messages)
        }
    }

    package func setState(
        _ state: Account.State,
        of login: String
    ) async throws(DirectoryError) {
        try await change(login) { account, transaction in
            try transaction.submit(SQL.setState, account.id.rawValue, state.rawValue)
        }
    }

    package func addAlias(
        _ address: EmailAddress,
        to login: String
    ) async throws(DirectoryError) {
        guard isLocal(address.domain) else { throw .foreignDomain(address.domain) }
        try await change(login) { account, transaction in
            try Self.insert(address, of: account.id, in: transaction)
        }
    }

    package func removeAlias(_ address: EmailAddress) async throws(DirectoryError) {
        try await change { transaction in
            guard
                let entry = try transaction.first(SQL.byAddress, address.key, body: { Entry($0) })
            else { throw DirectoryError.noSuchAddress(address.key) }
            let count = try transaction.all(SQL.addresses, entry.account.id.rawValue) { _ in 1 }
                .count
            guard count > 1 else { throw DirectoryError.lastAddress(address.key) }
            try transaction.submit(SQL.deleteAddress, address.key)
        }
    }

    /// Forgets an account, its addresses and its password; its mail is the store's.
    ///
    /// Returns the account that was; its key is never given to another.
    package func deleteAccount(_ login: String) async throws(DirectoryError) -> Account {
        try await change(login) { account, transaction in
            try transaction.submit(SQL.deleteAddresses, account.id.rawValue)
            try transaction.submit(SQL.deleteCredential, account.id.rawValue)
            try transaction.submit(SQL.deleteAccount, account.id.rawValue)
            return account
        }
    }

    /// Derives a credential on a thread that may be kept busy.
    private func derive(_ password: String) async throws(DirectoryError) -> SCRAMCredential {
        let salt = random(SCRAMCredential.saltLength)
        let credential = try await asking {
            try await BlockingThreads.shared.run {
                SCRAMCredential.derive(password: password, salt: salt)
            }
        }
        guard let credential else { throw .invalidPassword }
        return credential
    }

    private static func insert(
        _ address: EmailAddress,
        of account: AccountID,
        in transaction: Transaction
    ) throws {
        let position = try transaction.first(SQL.nextPosition, account.rawValue) { $0.int(0) }
        let added = try transaction.execute(
            SQL.insertAddress,
            address.key,
            account.rawValue,
            address.localPart,
            address.domain,
            position ?? 1
        )
        guard added == 1 else { throw DirectoryError.addressExists(address.key) }
    }

    private func change<Value: Sendable>(
        _ login: String,
        _ body: @escaping @Sendable (Account, Transaction) throws -> Value
    ) async throws(DirectoryError) -> Value {
        try await change { transaction in
            let login = login.lowercased()
            guard let entry = try transaction.first(SQL.byLogin, login, body: { Entry($0) }) else {
                throw DirectoryError.noSuchAccount(login)
            }
            return try body(entry.account, transaction)
        }
    }

    private func change<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws(DirectoryError) -> Value {
        let value = try await asking {
            try await self.database.write { transaction in
                let value = try body(transaction)
                transaction.notify(Self.channel, "changed")
                return value
            }
        }
        entries.clear()
        return value
    }

    private static func isLogin(_ login: String) -> Bool {
        guard !login.isEmpty, login.utf8.count <= loginLength else { return false }
        return login.utf8.allSatisfy { byte in
            byte.isLoginByte
        }
    }
}

extension UInt8 {
    fileprivate var isLoginByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "+"):
            true
        default: false
        }
    }
}
