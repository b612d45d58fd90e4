import IMAP
import Mail
import Store

extension IMAPSession {
    /// STORE: one operation of the store for the whole set.
    ///
    /// RFC 9051 §6.4.6, RFC 7162 §3.1.3
    mutating func store(_ command: StoreCommand) async throws(Refusal) -> Completion {
        let mailbox = try writableMailbox()
        let account = try account().account
        let uids = try mailbox.uids(command.set, command.numbering)
        if command.unchangedSince != nil { useCondstore() }
        let flags = Set(command.flags)
        let change: FlagChange =
            switch command.mode {
            case .add: .add(flags)
            case .remove: .remove(flags)
            case .replace: .replace(flags)
            }
        let result = try await storing {
            try await door.store.changeFlags(
                of: uids,
                in: mailbox.image,
                by: change,
                unchangedSince: command.unchangedSince,
                agent: account
            )
        }
        let stored = uids.subtracting(result.modified)
        var own = OwnChange()
        if !command.isSilent {
            own.told = stored
        } else if client.usesCondstore {
            // RFC 7162 §3.1.3: the new mod-sequence is told even then.
            own.modSeqOnly = result.changed
        } else {
            own.silent = result.changed
        }
        tellsUIDs = command.numbering == .uid
        defer { tellsUIDs = false }
        let policy: ExpungePolicy =
            command.numbering == .uid ? .expungesAllowed : .expungesHeld
        await tellChanges(policy, own: own)
        let text = command.numbering == .uid ? "UID STORE completed" : "STORE completed"
        guard !result.modified.isEmpty else { return Completion(nil, text) }
        let modified = mailbox.numbers(of: result.modified, command.numbering)
        return Completion(.modified(modified), "Conditional STORE failed")
    }
}
