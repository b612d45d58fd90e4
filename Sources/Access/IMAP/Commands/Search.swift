import IMAP
import MIME
import Mail
import Store

extension IMAPSession {
    /// SEARCH, with ESEARCH and SEARCHRES.
    ///
    /// RFC 9051 §6.4.4, RFC 4731 §3.1, RFC 5182 §2.1, RFC 7162 §3.1.5
    mutating func search(_ command: SearchCommand, tag: String) async throws(Refusal) -> Completion
    {
        let mailbox = try mailbox()
        let saves = command.returns?.contains(.save) == true
        do throws(Refusal) {
            let charset = try Self.charset(command.charset)
            if command.key.mentionsModSeq { useCondstore() }
            let search = MailboxSearch(store: door.store, mailbox: mailbox, charset: charset)
            let found = try await storing { try await search.run(command.key) }
            if saves { selected?.savedSearch = Self.saved(found, command.returns ?? []) }
            try await answer(command, tag, found, mailbox)
        } catch {
            // RFC 5182 §2.1: a failed SEARCH with SAVE leaves `$` empty.
            if saves, error.condition == .no { selected?.savedSearch = UIDSet() }
            throw error
        }
        return Completion(
            nil,
            command.numbering == .uid ? "UID SEARCH completed" : "SEARCH completed"
        )
    }

    /// What `$` becomes: with MIN or MAX and nothing wider, only those messages.
    ///
    /// RFC 5182 §2.4
    private static func saved(_ found: UIDSet, _ returns: SearchCommand.Returns) -> UIDSet {
        guard returns.isDisjoint(with: [.all, .count]), !returns.isDisjoint(with: [.min, .max])
        else { return found }
        var saved = UIDSet()
        if returns.contains(.min), let min = found.min { saved.insert(min) }
        if returns.contains(.max), let max = found.max { saved.insert(max) }
        return saved
    }

    private mutating func answer(
        _ command: SearchCommand,
        _ tag: String,
        _ found: UIDSet,
        _ mailbox: Selected
    ) async throws(Refusal) {
        let numbers = mailbox.numbers(of: found, command.numbering)
        let returns = command.returns ?? (client.isRev2 ? .all : nil)
        var modSeq: ModSeq?
        if command.key.mentionsModSeq, !found.isEmpty {
            modSeq = try await highestModSeq(of: told(found, returns), mailbox)
        }
        guard let returns else {
            writer.search(numbers, modSeq: modSeq)
            return
        }
        // RFC 5182 §2.1: SAVE alone asks for no data.
        guard returns != .save else { return }
        var result = ExtendedSearchResult()
        if returns.contains(.min) { result.min = numbers.min }
        if returns.contains(.max) { result.max = numbers.max }
        if returns.contains(.count) { result.count = numbers.count }
        if returns.contains(.all) { result.all = numbers }
        result.modSeq = modSeq
        writer.extendedSearch(tag: tag, command.numbering, result)
    }

    /// The messages whose mod-sequences the response speaks of.
    ///
    /// RFC 4731 §3.2
    private func told(_ found: UIDSet, _ returns: SearchCommand.Returns?) -> UIDSet {
        guard let returns, !returns.isEmpty, returns.isDisjoint(with: [.all, .count]) else {
            return found
        }
        return Self.saved(found, returns)
    }

    private func highestModSeq(
        of uids: UIDSet,
        _ mailbox: Selected
    ) async throws(Refusal) -> ModSeq? {
        var highest: ModSeq?
        var arrivals = UIDSet()
        for uid in uids {
            if let modSeq = mailbox.known.modSeq(of: UID(rawValue: uid)) {
                highest = max(highest ?? modSeq, modSeq)
            } else {
                arrivals.insert(uid)
            }
        }
        // Mod-sequences of arrival grow with the UID, so the last arrival has the highest.
        guard let last = arrivals.max else { return highest }
        let rows = try await storing { () -> MessageRows? in
            var scan = door.store.rows(of: UIDSet(last...last), in: mailbox.image)
            return try await scan.next()
        }
        guard let arrival = rows?.rows.first?.modSeq else { return highest }
        return max(highest ?? arrival, arrival)
    }

    /// The charset of the search strings, or NO with those that are understood.
    ///
    /// RFC 9051 §6.4.4
    private static func charset(_ name: String?) throws(Refusal) -> Charset {
        guard let name, name != "UTF-8", name != "US-ASCII" else { return .utf8 }
        guard charsets.contains(name) else {
            throw Refusal(.no, .badCharset(charsets), "Charset not supported")
        }
        return Charset(Array(name.utf8)[...])
    }

    private static let charsets = [
        "UTF-8", "US-ASCII", "ISO-8859-1", "ISO-8859-2", "ISO-8859-5", "ISO-8859-7", "ISO-8859-9",
        "ISO-8859-15", "WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "KOI8-R",
    ]
}
