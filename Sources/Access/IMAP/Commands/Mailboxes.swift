import IMAP
import Mail
import Store

extension IMAPSession {
    /// CREATE, with a special use.
    ///
    /// RFC 9051 §6.3.4, RFC 6154 §3
    mutating func create(_ command: CreateCommand) async throws(Refusal) -> Completion {
        let account = try account().account
        guard command.specialUses.count <= 1 else {
            throw Refusal(.no, .useAttr, "One special use for each mailbox")
        }
        let use = command.specialUses.first
        if let use { try await refuseTakenUse(use, of: account) }
        _ = try await storing {
            try await door.store.create(
                command.mailbox.text,
                in: account,
                specialUse: use,
                by: account
            )
        }
        return Completion(nil, "CREATE completed")
    }

    /// RFC 6154 §3: the server may refuse a second mailbox with the same use.
    private func refuseTakenUse(_ use: SpecialUse, of account: AccountID) async throws(Refusal) {
        guard use != .all, use != .flagged else {
            throw Refusal(.no, .useAttr, "Special use not supported")
        }
        let list = try await storing {
            try await door.store.list(of: account, by: account)
        }
        guard !list.mailboxes.contains(where: { $0.specialUse == use }) else {
            throw Refusal(.no, .useAttr, "Another mailbox has this special use")
        }
    }

    /// DELETE: the mailbox goes, those below it stay.
    ///
    /// RFC 9051 §6.3.5
    mutating func delete(_ name: MailboxName) async throws(Refusal) -> Completion {
        let account = try account().account
        try await storing {
            try await door.store.delete(name.text, in: account, by: account)
        }
        if selected?.image.isRemoved == true {
            selected = nil
            writer.untagged(.ok, .closed, "The selected mailbox was deleted")
        }
        return Completion(nil, "DELETE completed")
    }

    /// RENAME, with those below.
    ///
    /// RFC 9051 §6.3.6
    mutating func rename(
        _ name: MailboxName,
        to newName: MailboxName
    ) async throws(Refusal) -> Completion {
        let account = try account().account
        try await storing {
            try await door.store.rename(name.text, to: newName.text, in: account, by: account)
        }
        return Completion(nil, "RENAME completed")
    }

    /// SUBSCRIBE to a name, which need not exist.
    ///
    /// RFC 9051 §6.3.7
    mutating func subscribe(_ name: MailboxName) async throws(Refusal) -> Completion {
        let account = try account().account
        try await storing {
            try await door.store.subscribe(to: name.text, in: account, by: account)
        }
        return Completion(nil, "SUBSCRIBE completed")
    }

    /// UNSUBSCRIBE from a name.
    ///
    /// RFC 9051 §6.3.8
    mutating func unsubscribe(_ name: MailboxName) async throws(Refusal) -> Completion {
        let account = try account().account
        try await storing {
            try await door.store.unsubscribe(from: name.text, in: account, by: account)
        }
        return Completion(nil, "UNSUBSCRIBE completed")
    }
}
