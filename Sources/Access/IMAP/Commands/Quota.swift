import IMAP
import Mail
import Store

extension IMAPSession {
    /// GETQUOTA of a root: an account's name.
    ///
    /// RFC 9208 §4.1.1
    mutating func getQuota(_ root: String) async throws(Refusal) -> Completion {
        let account = try account()
        guard root == account.name else { throw Refusal(.no, .nonExistent, "No such quota root") }
        try await writeQuota(account)
        return Completion(nil, "GETQUOTA completed")
    }

    /// GETQUOTAROOT: every mailbox counts against its account.
    ///
    /// RFC 9208 §4.1.2
    mutating func getQuotaRoot(_ name: MailboxName) async throws(Refusal) -> Completion {
        let account = try account()
        _ = try await storing {
            try await door.store.status(
                of: name.text,
                in: account.account,
                by: account.account
            )
        }
        writer.quotaRoot(of: name, [account.name])
        try await writeQuota(account)
        return Completion(nil, "GETQUOTAROOT completed")
    }

    /// SETQUOTA: limits belong to the administration.
    ///
    /// RFC 9208 §4.1.3
    func setQuota() throws(Refusal) -> Completion {
        _ = try account()
        throw Refusal(.no, .noPermission, "Quotas are set by the administrator")
    }

    /// Only resources that have a limit are told; STORAGE counts in units of 1,024 bytes.
    ///
    /// RFC 9208 §4.2.1, §5.1, §5.2
    private mutating func writeQuota(_ account: Authenticated) async throws(Refusal) {
        let usage = try await storing { try await door.store.usage(of: account.account) }
        var resources: [QuotaResource] = []
        if let bytes = account.quota.bytes {
            resources.append(
                QuotaResource(
                    name: "STORAGE",
                    usage: (usage.bytes + 1_023) / 1_024,
                    limit: bytes / 1_024
                )
            )
        }
        if let messages = account.quota.messages {
            resources.append(
                QuotaResource(name: "MESSAGE", usage: usage.messages, limit: messages)
            )
        }
        writer.quota(root: account.name, resources)
    }
}
