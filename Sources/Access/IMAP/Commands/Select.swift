import IMAP
import Mail
import Store

extension IMAPSession {
    /// SELECT and EXAMINE.
    ///
    /// RFC 9051 §6.3.2, §6.3.3, RFC 7162 §3.1.2
    mutating func select(
        _ command: SelectCommand,
        _ mode: SelectMode
    ) async throws(Refusal) -> Completion {
        let account = try account().account
        guard command.quickResync == nil || client.usesQuickResync else {
            throw Refusal(.bad, nil, "Enable QRESYNC first")
        }
        if selected != nil {
            selected = nil
            writer.untagged(.ok, .closed, "Previous mailbox closed")
        }
        let image = try await storing {
            try await door.store.open(command.mailbox.text, in: account, by: account)
        }
        let connection = connection
        let watch = door.store.feed.watch(image.id) { connection.wake() }
        let snapshot = try await storing { try await door.store.refresh(image) }
        let opened = Selected(command.mailbox, image, watch, mode, snapshot)
        selected = opened
        if command.condstore || command.quickResync != nil { client.usesCondstore = true }
        describe(opened)
        if let resync = command.quickResync { try await resynchronize(resync, opened) }
        return mode == .readWrite
            ? Completion(.readWrite, "SELECT completed")
            : Completion(.readOnly, "EXAMINE completed")
    }

    private mutating func describe(_ selected: Selected) {
        let known = selected.known
        tellFlags()
        writer.exists(known.count)
        if client.isRev2 {
            writer.list(ListEntry(name: selected.name))
        } else {
            // No message is \Recent here: the flag belongs to sessions and IMAP4rev2 dropped it.
            writer.recent(0)
            if let unseen = known.firstUnseen.flatMap({ known.sequenceNumber(of: $0) }) {
                writer.untagged(.ok, .unseen(unseen), "First unseen")
            }
        }
        writer.untagged(.ok, .uidValidity(known.uidValidity), "UIDs valid")
        writer.untagged(.ok, .uidNext(known.uidNext), "Predicted next UID")
        writer.untagged(.ok, .highestModSeq(known.highestModSeq), "Highest")
    }

    /// What a client that comes back has missed.
    ///
    /// RFC 7162 §3.2.5.1
    private mutating func resynchronize(
        _ resync: SelectCommand.QuickResync,
        _ selected: Selected
    ) async throws(Refusal) {
        let known = selected.known
        guard resync.uidValidity == known.uidValidity, resync.modSeq <= known.highestModSeq else {
            return
        }
        let first = firstInDoubt(resync, known)
        let clientKnows = resync.knownUIDs ?? UIDSet(1...max(1, known.uidNext - 1))
        let vanished = known.expunged(since: resync.modSeq).intersection(clientKnows)
        writer.vanished(vanished.subtracting(first), earlier: true)
        let changed = try await storing {
            try await door.store.changed(since: resync.modSeq, in: known)
        }
        try await fetch(
            FetchPlan([.uid, .flags, .modSeq]),
            of: changed.intersection(resync.knownUIDs ?? changed)
        )
    }

    /// The UIDs that the client's pairs of numbers prove to be unchanged in membership.
    ///
    /// Where a sequence number still belongs to the UID it had, nothing below it is gone.
    ///
    /// RFC 7162 §3.2.5.2
    private func firstInDoubt(
        _ resync: SelectCommand.QuickResync,
        _ known: MailboxSnapshot
    ) -> UIDSet {
        guard let match = resync.match else { return UIDSet() }
        var proven: UInt32 = 0
        var uids = match.uids.makeIterator()
        for number in match.sequenceNumbers {
            guard let uid = uids.next() else { break }
            guard known.uid(at: number)?.rawValue == uid else { break }
            proven = uid
        }
        return proven == 0 ? UIDSet() : UIDSet(1...proven)
    }

    /// CLOSE: expunges without a word and leaves the mailbox.
    ///
    /// RFC 9051 §6.4.1
    mutating func close() async throws(Refusal) -> Completion {
        let mailbox = try mailbox()
        let account = try account().account
        if mailbox.mode == .readWrite {
            _ = try await storing {
                try await door.store.expunge(in: mailbox.image, by: account)
            }
        }
        selected = nil
        // RFC 7162 §3.2.8: the client may go on from here.
        let code: ResponseCode? =
            client.usesQuickResync && mailbox.mode == .readWrite
            ? .highestModSeq(mailbox.image.snapshot.highestModSeq) : nil
        return Completion(code, "CLOSE completed")
    }

    /// UNSELECT: leaves the mailbox as it is.
    ///
    /// RFC 9051 §6.4.2
    mutating func unselect() throws(Refusal) -> Completion {
        _ = try mailbox()
        selected = nil
        return Completion(nil, "UNSELECT completed")
    }
}
