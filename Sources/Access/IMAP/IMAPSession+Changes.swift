import IMAP
import Mail
import Store

/// Whether messages may vanish from the client's count now.
///
/// RFC 9051 §7.5.1
enum ExpungePolicy: Sendable {
    case expungesAllowed, expungesHeld
}

/// What a STORE wants told of its own messages.
struct OwnChange {
    /// FLAGS, changed or not.
    var told = UIDSet()
    /// MODSEQ alone.
    var modSeqOnly = UIDSet()
    /// Nothing.
    var silent = UIDSet()
}

extension IMAPSession {
    /// Messages in one piece of untagged responses.
    private static var piece: Int { 4_096 }

    /// The selected mailbox, or BAD.
    func mailbox() throws(Refusal) -> Selected {
        _ = try account()
        guard let selected else { throw Refusal(.bad, nil, "Select a mailbox first") }
        return selected
    }

    /// The selected mailbox for a command that changes it.
    func writableMailbox() throws(Refusal) -> Selected {
        let selected = try mailbox()
        guard selected.mode == .readWrite else {
            throw Refusal(.no, .noPermission, "Mailbox is open read-only")
        }
        return selected
    }

    /// Tells the client what has happened to the selected mailbox since it was last told.
    ///
    /// What cannot be read now is told another time.
    ///
    /// RFC 9051 §5.2, §7.5, RFC 7162 §3.2.10
    mutating func tellChanges(_ policy: ExpungePolicy, own: OwnChange = OwnChange()) async {
        guard let image = selected?.image else { return }
        let latest: MailboxSnapshot
        do throws(StoreError) {
            latest = try await door.store.refresh(image)
        } catch .noSuchMailbox {
            writer.bye(nil, "The selected mailbox was deleted")
            selected = nil
            phase = .ending
            return
        } catch {
            return
        }
        await tell(latest, policy, own)
    }

    private mutating func tell(
        _ latest: MailboxSnapshot,
        _ policy: ExpungePolicy,
        _ own: OwnChange
    ) async {
        guard let before = selected else { return }
        let now = policy == .expungesAllowed ? latest : latest.keeping(visible: before.known)
        let changes = now.changes(since: before.known)
        if !changes.expunged.isEmpty { tellExpunged(changes.expunged, before.known) }
        selected?.known = now
        if now.keywords.names.count > before.keywordNames.count {
            selected?.keywordNames = now.keywords.names.map(\.name)
            tellFlags()
        }
        if !changes.arrived.isEmpty { writer.exists(now.count) }
        let flagged = changes.flagsChanged.subtracting(own.silent).subtracting(own.modSeqOnly)
            .union(own.told)
        await tellFetch(flagged, withFlags: true)
        await tellFetch(own.modSeqOnly, withFlags: false)
    }

    private mutating func tellExpunged(_ uids: UIDSet, _ known: MailboxSnapshot) {
        if client.usesQuickResync {
            writer.vanished(uids, earlier: false)
            return
        }
        // From the last to the first, so that each number is still right when it is told.
        for range in known.sequenceNumbers(of: uids).ranges.reversed() {
            for number in range.reversed() { writer.expunge(number) }
        }
    }

    /// FLAGS and PERMANENTFLAGS of the selected mailbox.
    mutating func tellFlags() {
        guard let selected else { return }
        let flags = selected.flags
        writer.flags(flags)
        let hasRoom = selected.keywordNames.count < MessageFlags.maximumKeywords
        writer.untagged(
            .ok,
            selected.mode == .readWrite
                ? .permanentFlags(flags, newKeywords: hasRoom)
                : .permanentFlags([], newKeywords: false),
            selected.mode == .readWrite ? "Flags permitted" : "No permanent flags permitted"
        )
    }

    /// Untagged FETCH responses for messages whose flags changed.
    private mutating func tellFetch(_ uids: UIDSet, withFlags: Bool) async {
        guard !uids.isEmpty else { return }
        let showsUID = client.usesQuickResync || client.isRev2
        for batch in uids.batches(of: Self.piece) {
            guard let selected else { return }
            let modSeqs = await arrivalModSeqs(of: batch, selected)
            selected.known.forEach(in: batch) { number, uid, flags in
                writer.beginFetch(number)
                if showsUID || tellsUIDs { writer.fetchUID(uid.rawValue) }
                if withFlags {
                    writer.fetchFlags(system: flags.system, keywords: selected.keywords(of: flags))
                }
                if client.usesCondstore {
                    let modSeq = selected.known.modSeq(of: uid) ?? modSeqs[uid.rawValue]
                    if let modSeq { writer.fetchModSeq(modSeq) }
                }
                writer.endFetch()
            }
            if writer.bytes.count >= Self.sliceBytes { _ = await flush() }
        }
    }

    /// Mod-sequences of those that are as they arrived, which only their rows know.
    private func arrivalModSeqs(of uids: UIDSet, _ selected: Selected) async -> [UInt32: ModSeq] {
        guard client.usesCondstore else { return [:] }
        var unknown = UIDSet()
        for uid in uids where selected.known.modSeq(of: UID(rawValue: uid)) == nil {
            unknown.insert(uid)
        }
        guard !unknown.isEmpty else { return [:] }
        var scan = door.store.rows(of: unknown, in: selected.image)
        var modSeqs: [UInt32: ModSeq] = [:]
        // A failure here only leaves MODSEQ out; the client asks when it needs it.
        while let rows = try? await scan.next() {
            for row in rows.rows { modSeqs[row.uid.rawValue] = row.modSeq }
        }
        return modSeqs
    }

    /// CONDSTORE is in use from now on; the client learns where the mailbox stands.
    ///
    /// RFC 7162 §3.1
    mutating func useCondstore() {
        guard !client.usesCondstore else { return }
        client.usesCondstore = true
        guard let selected else { return }
        writer.untagged(.ok, .highestModSeq(selected.known.highestModSeq), "Highest")
    }
}
