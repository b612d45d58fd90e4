package import Mail

extension Directory {
    /// What `address` leads to: an account here, another domain, or nobody.
    ///
    /// Tried in this order: the address as it stands, the address without what follows `+`, and for
    /// `postmaster` and `abuse` of our domains the configured postmaster.
    ///
    /// RFC 5321 §4.5.1, RFC 5233 §1
    package func route(to address: EmailAddress) async throws(DirectoryError) -> Route {
        guard isLocal(address.domain) else { return .relay }
        if let entry = try await entry(address.key) { return route(entry, detail: nil) }
        if let sign = address.localPart.firstIndex(of: "+"), sign != address.localPart.startIndex,
            let base = EmailAddress(
                localPart: String(address.localPart[..<sign]),
                domain: address.domain
            ),
            let entry = try await entry(base.key)
        {
            let detail = address.localPart[address.localPart.index(after: sign)...]
            return route(entry, detail: String(detail))
        }
        if ["postmaster", "abuse"].contains(address.localPart.lowercased()),
            let postmaster = settings.postmaster,
            let entry = try await entry(postmaster.key)
        {
            return route(entry, detail: nil)
        }
        return .unknown
    }

    /// The account of a login or of one of its addresses; nil when there is none.
    package func account(login: String) async throws(DirectoryError) -> Account? {
        try await entry(login.lowercased())?.account
    }

    /// True when `account` may write `address` as its own, in MAIL FROM or From.
    ///
    /// RFC 6409 §6.1
    package func mayUse(
        _ account: AccountID,
        as address: EmailAddress
    ) async throws(DirectoryError) -> Bool {
        guard case .account(let owner, _) = try await route(to: address) else { return false }
        return owner.id == account && owner.state == .active
    }

    private func route(_ entry: Entry, detail: String?) -> Route {
        entry.account.state == .closed ? .unknown : .account(entry.account, detail: detail)
    }

    /// Longest login or address, in bytes: 64, the at sign and 255.
    ///
    /// RFC 5321 §4.5.3.1.1, §4.5.3.1.2
    private static let keyLength = 320

    /// The account whose login, or one of whose addresses, is `key` in lower case.
    func entry(_ key: String) async throws(DirectoryError) -> Entry? {
        // No such key can exist, and the cache must not keep what a stranger makes up.
        guard key.utf8.count <= Self.keyLength else { return nil }
        let now = clock()
        if let known = entries.value(for: key, at: now) { return known }
        let epoch = entries.epoch
        let statement = key.utf8.contains(UInt8(ascii: "@")) ? SQL.byAddress : SQL.byLogin
        let found = try await asking {
            try await self.database.read { reader in
                try reader.first(statement, key) { Entry($0) }
            }
        }
        entries.put(found, for: key, at: now, epoch: epoch)
        return found
    }
}
