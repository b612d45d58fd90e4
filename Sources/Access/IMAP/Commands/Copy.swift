import IMAP
import Mail
import Store

extension IMAPSession {
    /// COPY, all or nothing.
    ///
    /// RFC 9051 §6.4.7
    mutating func copy(_ command: CopyCommand) async throws(Refusal) -> Completion {
        let mailbox = try mailbox()
        let account = try account()
        let uids = try mailbox.uids(command.set, command.numbering)
        let text = command.numbering == .uid ? "UID COPY completed" : "COPY completed"
        guard !uids.isEmpty else { return Completion(nil, text) }
        let placed = try await placing {
            try await door.store.copy(
                uids,
                from: mailbox.image,
                to: command.mailbox.text,
                in: account.account,
                quota: account.quota,
                by: account.account
            )
        }
        return Completion(copyUID(placed), text)
    }

    /// MOVE, all or nothing: first COPYUID, then the expunges, then the end.
    ///
    /// RFC 9051 §6.4.8, RFC 6851 §4.3, RFC 7162 §3.2.7
    mutating func move(_ command: CopyCommand) async throws(Refusal) -> Completion {
        let mailbox = try writableMailbox()
        let account = try account().account
        let uids = try mailbox.uids(command.set, command.numbering)
        let text = command.numbering == .uid ? "UID MOVE completed" : "MOVE completed"
        guard !uids.isEmpty else { return Completion(nil, text) }
        let placed = try await placing {
            try await door.store.move(
                uids,
                from: mailbox.image,
                to: command.mailbox.text,
                by: account
            )
        }
        if let code = copyUID(placed) { writer.untagged(.ok, code, "Moved") }
        await tellChanges(.expungesAllowed)
        guard client.usesQuickResync, let selected else { return Completion(nil, text) }
        return Completion(.highestModSeq(selected.known.highestModSeq), text)
    }

    private func copyUID(_ placed: PlacedMessages) -> ResponseCode? {
        guard let uids = placed.uids else { return nil }
        return .copyUID(placed.uidValidity, source: placed.sources, destination: UIDSet(uids))
    }
}
