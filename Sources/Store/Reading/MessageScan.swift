import Database
package import Mail

/// Which parts of a message row a scan brings along; the rest of the row is always there.
package struct MessageColumns: OptionSet, Hashable, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let envelope = MessageColumns(rawValue: 1)
    package static let structure = MessageColumns(rawValue: 2)
    package static let preview = MessageColumns(rawValue: 4)
    package static let emailID = MessageColumns(rawValue: 8)

    static let count = 4
}

/// One message row.
package struct MessageRow: Sendable {
    package let uid: UID
    /// Of the arrival; for changes since then ask `MailboxSnapshot.modSeq(of:)` first.
    package let modSeq: ModSeq
    /// Unix milliseconds.
    package let internalDate: Int64
    /// Unix milliseconds.
    package let saveDate: Int64
    /// RFC822.SIZE.
    package let size: Int
    package let bodyID: BodyID
    package let threadID: ThreadID
    /// ENVELOPE as IMAP writes it.
    package let envelope: Range<Int>
    /// BODYSTRUCTURE as IMAP writes it.
    package let structure: Range<Int>
    /// PREVIEW in UTF-8.
    package let preview: Range<Int>
    /// The bytes of an `EmailID`.
    package let emailID: Range<Int>
}

/// Some message rows, with their long columns side by side in one array.
///
/// One allocation for many rows: a row says where in `bytes` its columns stand, and columns that
/// were not asked for are empty there.
package struct MessageRows: Sendable {
    package fileprivate(set) var rows: [MessageRow] = []
    package fileprivate(set) var bytes: [UInt8] = []
}

/// Reads message rows batch by batch; no transaction is open between two batches.
///
/// Rows of expunged messages are there until the purge, so a session that has not yet been told
/// of an expunge can still fetch.
package struct MessageScan {
    private let store: Store
    private let mailbox: MailboxID
    private let columns: MessageColumns
    private var spans: ArraySlice<ClosedRange<UInt32>>
    private let uids: UIDSet

    init(store: Store, mailbox: MailboxID, uids: UIDSet, columns: MessageColumns) {
        self.store = store
        self.mailbox = mailbox
        self.columns = columns
        self.uids = uids
        spans = uids.joined(across: 16)[...]
    }

    /// The next rows in ascending order of UID; nil at the end.
    package mutating func next() async throws(StoreError) -> MessageRows? {
        while !spans.isEmpty {
            let mailbox = mailbox
            let uids = uids
            let columns = columns
            let limits = store.limits
            let waiting = spans
            let (rows, left) = try await store.read { reader in
                var batch = MessageRows()
                let left = try Self.fill(
                    &batch,
                    from: waiting,
                    of: mailbox,
                    members: uids,
                    columns,
                    limits,
                    reader
                )
                return (batch, left)
            }
            spans = left
            if !rows.rows.isEmpty { return rows }
        }
        return nil
    }

    /// Yields the spans that are still to be read.
    private static func fill(
        _ batch: inout MessageRows,
        from spans: ArraySlice<ClosedRange<UInt32>>,
        of mailbox: MailboxID,
        members: UIDSet,
        _ columns: MessageColumns,
        _ limits: Store.Limits,
        _ reader: Reader
    ) throws -> ArraySlice<ClosedRange<UInt32>> {
        var spans = spans
        var members = Members(members)
        while let span = spans.popFirst() {
            var read = 0
            var last = span.lowerBound
            let room = limits.batchRows - batch.rows.count
            var isFull = false
            try reader.query(
                statements[columns.rawValue],
                MessageKey.make(mailbox, span.lowerBound),
                MessageKey.make(mailbox, span.upperBound),
                room
            ) { row in
                guard !isFull else { return }
                read += 1
                last = MessageKey.uid(row.int(0))
                if members.contains(last) { batch.append(row, UID(rawValue: last), columns) }
                isFull = batch.bytes.count >= limits.batchBytes
            }
            if (isFull || read == room) && last < span.upperBound {
                spans = [(last + 1)...span.upperBound] + spans
            }
            if isFull || batch.rows.count >= limits.batchRows { break }
        }
        return spans
    }

    /// One statement for each set of columns, by its raw value.
    private static let statements: [Statement] = (0..<(1 << MessageColumns.count)).map { set in
        let columns = MessageColumns(rawValue: set)
        var names = "id, modseq, internal_date, save_date, size, body_id, thread_id"
        if columns.contains(.envelope) { names += ", envelope" }
        if columns.contains(.structure) { names += ", structure" }
        if columns.contains(.preview) { names += ", preview" }
        if columns.contains(.emailID) { names += ", email_id" }
        return Statement(
            stringLiteral: """
                SELECT \(names) FROM message
                WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT $3
                """
        )
    }
}

extension MessageRows {
    fileprivate mutating func append(
        _ row: borrowing Row,
        _ uid: UID,
        _ columns: MessageColumns
    ) {
        var column = 7
        func take(_ wanted: MessageColumns, _ bytes: inout [UInt8]) -> Range<Int> {
            let start = bytes.count
            if columns.contains(wanted) {
                row.withBytes(column) { bytes.append(contentsOf: $0) }
                column += 1
            }
            return start..<bytes.count
        }
        let envelope = take(.envelope, &bytes)
        let structure = take(.structure, &bytes)
        let preview = take(.preview, &bytes)
        let emailID = take(.emailID, &bytes)
        rows.append(
            MessageRow(
                uid: uid,
                modSeq: ModSeq(rawValue: row.int(1)),
                internalDate: row.int(2),
                saveDate: row.int(3),
                size: Int(row.int(4)),
                bodyID: BodyID(rawValue: row.int(5)),
                threadID: ThreadID(rawValue: row.int(6)),
                envelope: envelope,
                structure: structure,
                preview: preview,
                emailID: emailID
            )
        )
    }
}

/// Membership in a UIDSet for numbers that come in ascending order.
private struct Members {
    private var ranges: ArraySlice<ClosedRange<UInt32>>

    init(_ set: UIDSet) {
        ranges = set.ranges[...]
    }

    mutating func contains(_ uid: UInt32) -> Bool {
        while let range = ranges.first, range.upperBound < uid { ranges.removeFirst() }
        return ranges.first?.contains(uid) ?? false
    }
}

extension Store {
    /// Reads the rows of `uids` with the columns asked for, in bounded batches.
    package func rows(
        of uids: UIDSet,
        in image: MailboxImage,
        columns: MessageColumns = []
    ) -> MessageScan {
        MessageScan(store: self, mailbox: image.id, uids: uids, columns: columns)
    }
}
