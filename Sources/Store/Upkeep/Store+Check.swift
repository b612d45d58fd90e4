import Blobs
import Crypto
import Database
import Mail

/// How closely `Store.check` looks at bodies.
package enum BodyCheck: Sendable {
    /// Every message has a body row.
    case rows
    /// Besides, every body is read, decompressed and hashed.
    case contents
}

extension Store {
    /// Compares everything that is kept twice, and yields what does not agree; empty is good.
    ///
    /// Safe while the server works: each mailbox is looked at in one state of the database.
    package func check(bodies: BodyCheck = .rows) async throws(StoreError) -> [Finding] {
        var findings = try await checkSequences()
        let accounts = try await read { reader in
            try reader.all(Self.selectAccounts) { AccountID(rawValue: $0.int(0)) }
        }
        for account in accounts { findings += try await checkUsage(of: account) }
        let mailboxes = try await read { reader in
            try reader.all(Self.selectMailboxes) { MailboxID(rawValue: $0.int(0)) }
        }
        for mailbox in mailboxes { findings += try await check(mailbox) }
        findings += try await checkStrays(besides: Set(mailboxes))
        if case .contents = bodies { findings += try await checkContents() }
        return findings
    }

    // MARK: Counts

    private func checkSequences() async throws(StoreError) -> [Finding] {
        try await read { reader in
            var findings: [Finding] = []
            for (name, highest) in Self.selectHighest {
                let stored = try reader.first(Self.selectSequence, name) { $0.int(0) } ?? 0
                let given = try reader.first(highest) { $0.int(0) } ?? 0
                if given > stored {
                    findings.append(.sequence(name, stored: stored, highest: given))
                }
            }
            return findings
        }
    }

    private func checkUsage(of account: AccountID) async throws(StoreError) -> [Finding] {
        try await read { reader in
            let stored = try reader.first(Self.selectUsed, account) { row in
                QuotaUsage(bytes: row.int(0), messages: row.int(1))
            }
            let counted = try reader.first(Self.sumUsed, account) { row in
                QuotaUsage(bytes: row.int(0), messages: row.int(1))
            }
            let nothing = QuotaUsage(bytes: 0, messages: 0)
            if stored ?? nothing == counted ?? nothing { return [] }
            return [.usage(account, stored: stored ?? nothing, counted: counted ?? nothing)]
        }
    }

    // MARK: One mailbox

    private func check(_ mailbox: MailboxID) async throws(StoreError) -> [Finding] {
        try await read { reader in
            var findings: [Finding] = []
            let row = try reader.first(Self.selectMailbox, mailbox) { row in
                MailboxCounters(row)
            }
            guard let row else { return [] }
            let names = try reader.all(SQL.keywords, mailbox) { ($0.int(0), $0.text(1)) }
            let wrong = names.enumerated().contains { index, keyword in
                keyword.0 != Int64(index) || Keyword(keyword.1) == nil
            }
            if wrong { findings.append(.keywords(mailbox)) }

            var chunks: [(number: Int, state: ChunkState)] = []
            try reader.query(
                SQL.chunks,
                ChunkKey.make(mailbox, 0),
                ChunkKey.make(mailbox, Int(UInt32.max))
            ) { stored in
                let number = ChunkKey.chunk(stored.int(0))
                let highest = stored.int(1)
                let state = stored.withBytes(2) {
                    ChunkState(decoding: $0, highestModSeq: highest)
                }
                if let state {
                    let fault = row.fault(in: state, number, keywords: names.count)
                    if let fault { findings.append(.stateChunk(mailbox, chunk: number, fault)) }
                    chunks.append((number, state))
                } else {
                    findings.append(.stateChunk(mailbox, chunk: number, "cannot be decoded"))
                }
            }
            var snapshot = MailboxSnapshot(
                id: mailbox,
                uidValidity: UIDValidity(rawValue: 0),
                uidNext: 1,
                highestModSeq: ModSeq(rawValue: 0),
                keywords: KeywordTable()
            )
            snapshot.advance(
                uidNext: row.uidNext,
                highestModSeq: ModSeq(rawValue: row.modSeq),
                keywords: KeywordTable(),
                chunks: chunks
            )
            var size: Int64 = 0
            var seen = UIDSet()
            var lastModSeq: Int64 = 0
            try reader.scan(
                Self.selectMessages,
                MessageKey.make(mailbox, 0),
                MessageKey.make(mailbox, .max)
            ) { message in
                let uid = UID(rawValue: MessageKey.uid(message.int(0)))
                let modSeq = message.int(1)
                if uid.rawValue == 0 || uid.rawValue >= row.uidNext || modSeq > row.modSeq
                    || modSeq < lastModSeq
                {
                    findings.append(.strayMessage(mailbox, uid))
                }
                lastModSeq = max(lastModSeq, modSeq)
                if message.isNull(4) || message.int(4) != message.int(2) {
                    findings.append(
                        .missingBody(mailbox, uid, BodyID(rawValue: message.int(3)))
                    )
                }
                if snapshot.contains(uid) {
                    size += message.int(2)
                    seen.insert(uid.rawValue)
                }
            }
            let missing = snapshot.uids.subtracting(seen)
            if !missing.isEmpty { findings.append(.missingMessages(mailbox, missing)) }
            let counted: [(Finding.Counter, Int64, Int64)] = [
                (.messages, row.messages, Int64(snapshot.count)),
                (.unseen, row.unseen, Int64(snapshot.uids(without: .seen).count)),
                (.deleted, row.deleted, Int64(snapshot.uids(with: .deleted).count)),
                (.size, row.size, size),
            ]
            for (counter, stored, counted) in counted where stored != counted {
                findings.append(.counter(mailbox, counter, stored: stored, counted: counted))
            }
            return findings
        }
    }

    /// Rows whose keys belong to no mailbox, found by leaping from mailbox to mailbox.
    private func checkStrays(besides known: Set<MailboxID>) async throws(StoreError) -> [Finding] {
        try await read { reader in
            var findings: Set<MailboxID> = []
            for next in [Self.nextMessage, Self.nextChunk] {
                var key: Int64 = 0
                while let found = try reader.first(next, key, body: { $0.int(0) }) {
                    let mailbox = MailboxID(rawValue: found >> 32)
                    if !known.contains(mailbox) { findings.insert(mailbox) }
                    key = MessageKey.make(mailbox, .max) + 1
                }
            }
            // A mailbox may have come to life since `known` was read.
            return try findings.sorted().filter { mailbox in
                try reader.first(Self.selectMailbox, mailbox, body: { _ in 0 }) == nil
            }.map(Finding.noMailbox)
        }
    }

    // MARK: Bodies

    private func checkContents() async throws(StoreError) -> [Finding] {
        var findings: [Finding] = []
        var last: Int64 = 0
        while true {
            let from = last
            let ids = try await read { reader in
                try reader.all(Self.nextBodies, from) { row in
                    (id: row.int(0), hash: row.bytes(1))
                }
            }
            guard let highest = ids.last else { return findings }
            last = highest.id
            for (id, hash) in ids {
                do {
                    let bytes = try await body(BodyID(rawValue: id))
                    if Array(SHA256.hash(data: bytes)) != hash {
                        findings.append(.damagedBody(BodyID(rawValue: id), "has another hash"))
                    }
                } catch {
                    guard case .damaged(let text) = error else { throw error }
                    // The sweep may have removed it since.
                    let isThere = try await read { reader in
                        try reader.first(Self.selectBodyID, id) { _ in true } ?? false
                    }
                    if isThere { findings.append(.damagedBody(BodyID(rawValue: id), text)) }
                }
            }
        }
    }

    // MARK: Statements

    private static let selectHighest: [(String, Statement)] = [
        ("mailbox", "SELECT COALESCE(MAX(id), 0) FROM mailbox"),
        ("body", "SELECT COALESCE(MAX(id), 0) FROM body"),
        ("uidvalidity", "SELECT COALESCE(MAX(uidvalidity), 0) FROM mailbox"),
    ]

    private static let selectSequence: Statement =
        "SELECT value FROM store_sequence WHERE name = $1"

    private static let selectAccounts: Statement = """
        SELECT id FROM store_account UNION
        SELECT account_id FROM mailbox WHERE removed_at IS NULL
        """

    private static let selectUsed: Statement =
        "SELECT used_bytes, used_messages FROM store_account WHERE id = $1"

    private static let sumUsed: Statement = """
        SELECT COALESCE(SUM(size), 0), COALESCE(SUM(messages), 0)
        FROM mailbox WHERE account_id = $1 AND removed_at IS NULL
        """

    private static let selectMailboxes: Statement = "SELECT id FROM mailbox ORDER BY id"

    private static let selectMailbox: Statement = """
        SELECT uidnext, highestmodseq, messages, unseen, deleted, size FROM mailbox WHERE id = $1
        """

    private static let selectMessages: Statement = """
        SELECT message.id, message.modseq, message.size, message.body_id, body.size
        FROM message LEFT JOIN body ON body.id = message.body_id
        WHERE message.id BETWEEN $1 AND $2 ORDER BY message.id
        """

    private static let nextMessage: Statement =
        "SELECT id FROM message WHERE id >= $1 ORDER BY id LIMIT 1"

    private static let nextChunk: Statement =
        "SELECT id FROM mailbox_state WHERE id >= $1 ORDER BY id LIMIT 1"

    private static let nextBodies: Statement =
        "SELECT id, hash FROM body WHERE id > $1 ORDER BY id LIMIT 256"

    private static let selectBodyID: Statement = "SELECT id FROM body WHERE id = $1"
}

/// A mailbox row as the check sees it.
private struct MailboxCounters {
    let uidNext: UInt32
    let modSeq: Int64
    let messages: Int64
    let unseen: Int64
    let deleted: Int64
    let size: Int64

    init(_ row: borrowing Row) {
        uidNext = UInt32(truncatingIfNeeded: row.int(0))
        modSeq = row.int(1)
        messages = row.int(2)
        unseen = row.int(3)
        deleted = row.int(4)
        size = row.int(5)
    }

    /// What is wrong with a chunk; nil when nothing is.
    func fault(in state: ChunkState, _ number: Int, keywords: Int) -> String? {
        let first = number * SlotSet.span
        let end = min(Int(uidNext) - first, SlotSet.span)
        let start = number == 0 ? 1 : 0
        guard number <= ChunkKey.last, start < end else { return "is beyond UIDNEXT" }
        let valid = SlotSet(start..<end)
        for column in state.columns {
            if !state.slots(in: column).subtracting(valid).isEmpty {
                return "column \(column) speaks of UIDs that were never given"
            }
            if column >= ChunkState.Column.firstKeyword,
                Int(column - ChunkState.Column.firstKeyword) >= keywords
            {
                return "column \(column) is of an unknown keyword"
            }
        }
        if state.highestModSeq > modSeq { return "is later than its mailbox" }
        for run in state.runs {
            if run.modSeq > state.highestModSeq { return "a run is later than the chunk" }
            if !SlotSet(run.slots).subtracting(valid).isEmpty {
                return "a run speaks of UIDs that were never given"
            }
        }
        let expunged = state.slots(in: ChunkState.Column.expunged)
        if !expunged.subtracting(state.changed(since: 0)).isEmpty {
            return "an expunged message has no mod-sequence"
        }
        return nil
    }
}
