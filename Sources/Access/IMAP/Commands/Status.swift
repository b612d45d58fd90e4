import IMAP
import Mail
import Store

extension IMAPSession {
    /// STATUS of one mailbox, from its counters.
    ///
    /// RFC 9051 §6.3.11
    mutating func status(_ command: StatusCommand) async throws(Refusal) -> Completion {
        let account = try account().account
        let summary = try await storing {
            try await door.store.status(of: command.mailbox.text, in: account, by: account)
        }
        // RFC 7162 §3.1: asking for HIGHESTMODSEQ switches CONDSTORE on.
        if command.items.contains(.highestModSeq) { useCondstore() }
        try await writeStatus(summary, command.items)
        return Completion(nil, "STATUS completed")
    }

    /// One STATUS response.
    mutating func writeStatus(
        _ summary: MailboxSummary,
        _ items: [StatusItem]
    ) async throws(Refusal) {
        var values: [(StatusItem, Int64)] = []
        for item in items {
            let value: Int64 =
                switch item {
                case .messages: Int64(summary.messages)
                case .recent: 0
                case .uidNext: Int64(summary.uidNext)
                case .uidValidity: Int64(summary.uidValidity.rawValue)
                case .unseen: Int64(summary.unseen)
                case .deleted: Int64(summary.deleted)
                case .deletedStorage: try await deletedBytes(in: summary)
                case .size: summary.size
                case .highestModSeq: summary.highestModSeq.rawValue
                case .appendLimit: Int64(door.settings.messageBytes)
                }
            values.append((item, value))
        }
        writer.status(MailboxName(summary.name), values)
    }

    /// What EXPUNGE would free.
    ///
    /// RFC 9208 §4.4
    private func deletedBytes(in summary: MailboxSummary) async throws(Refusal) -> Int64 {
        guard summary.deleted > 0 else { return 0 }
        return try await storing { () -> Int64 in
            let image = try await door.store.open(
                summary.name,
                in: summary.owner,
                by: summary.owner
            )
            let deleted = try await door.store.refresh(image).uids(with: .deleted)
            var scan = door.store.rows(of: deleted, in: image)
            var size: Int64 = 0
            while let rows = try await scan.next() {
                size += rows.rows.reduce(0) { $0 + Int64($1.size) }
            }
            return size
        }
    }
}
