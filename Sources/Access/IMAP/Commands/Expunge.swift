import IMAP
import Mail

extension IMAPSession {
    /// EXPUNGE, or UID EXPUNGE when there is a set.
    ///
    /// RFC 9051 §6.4.3, §6.4.9, RFC 7162 §3.2.7
    mutating func expunge(_ set: SequenceSet?) async throws(Refusal) -> Completion {
        let mailbox = try writableMailbox()
        let account = try account().account
        var uids: UIDSet?
        if let set { uids = try mailbox.uids(set, .uid) }
        let gone = try await storing {
            try await door.store.expunge(uids, in: mailbox.image, by: account)
        }
        await tellChanges(.expungesAllowed)
        let text = set == nil ? "EXPUNGE completed" : "UID EXPUNGE completed"
        guard client.usesCondstore, !gone.isEmpty, let selected else {
            return Completion(nil, text)
        }
        return Completion(.highestModSeq(selected.known.highestModSeq), text)
    }
}
