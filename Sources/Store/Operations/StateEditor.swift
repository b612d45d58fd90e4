import Database
import Mail

/// What a write needs of a mailbox, read by the statement that took its next mod-sequence.
struct LockedMailbox {
    let id: MailboxID
    let uidValidity: UIDValidity
    let uidNext: UInt32
    let modSeq: ModSeq

    init(_ row: borrowing Row) throws(StoreError) {
        id = MailboxID(rawValue: row.int(0))
        uidValidity = UIDValidity(rawValue: UInt32(truncatingIfNeeded: row.int(1)))
        guard let uidNext = UInt32(exactly: row.int(2)) else { throw .uidsExhausted }
        self.uidNext = uidNext
        modSeq = ModSeq(rawValue: row.int(3))
    }
}

/// The state chunks and keywords of one mailbox inside one transaction.
struct StateEditor {
    let mailbox: LockedMailbox
    /// Changes of the mailbox's counters by this operation.
    var unseen: Int64 = 0
    var deleted: Int64 = 0
    private(set) var chunks: [Int: ChunkState] = [:]
    private var dirty: Set<Int> = []
    private var loadedKeywords: KeywordTable?
    private var hasNewKeywords = false
    private let transaction: Transaction

    init(_ mailbox: LockedMailbox, in transaction: Transaction) {
        self.mailbox = mailbox
        self.transaction = transaction
    }

    // MARK: Chunks

    /// Reads the stored chunks of `numbers`; those that are not stored are empty.
    mutating func load(_ numbers: ClosedRange<Int>) throws {
        try Self.read(numbers, of: mailbox.id, with: transaction.reader) { number, state in
            if chunks[number] == nil { chunks[number] = state }
        }
    }

    func chunk(_ number: Int) -> ChunkState { chunks[number] ?? ChunkState() }

    /// The slots of a chunk that hold a message.
    func live(in number: Int) -> SlotSet {
        let end = min(Int(mailbox.uidNext) - number * SlotSet.span, SlotSet.span)
        let start = number == 0 ? 1 : 0
        guard start < end else { return SlotSet() }
        return SlotSet(start..<end)
            .subtracting(chunk(number).slots(in: ChunkState.Column.expunged))
    }

    mutating func replace(_ number: Int, with state: ChunkState) {
        chunks[number] = state
        dirty.insert(number)
    }

    /// Writes the changed chunks and yields what to announce.
    func save() throws -> CommittedChange {
        var change = CommittedChange(
            mailbox: mailbox.id,
            modSeq: mailbox.modSeq,
            uidNext: mailbox.uidNext
        )
        for number in dirty.sorted() {
            let state = chunk(number)
            try transaction.submit(
                SQL.putChunk,
                ChunkKey.make(mailbox.id, number),
                state.highestModSeq,
                state.encoded()
            )
            change.chunks.append((number, state))
        }
        if hasNewKeywords { change.keywords = loadedKeywords }
        return change
    }

    // MARK: Keywords

    /// The column of `flag`, which is given one when it is new here.
    mutating func column(of flag: Flag) throws -> UInt16 {
        if let column = try knownColumn(of: flag) { return column }
        guard case .keyword(let keyword) = flag else { return 0 }
        var table = try keywords()
        let number = table.names.count
        guard number < MessageFlags.maximumKeywords else { throw StoreError.tooManyKeywords }
        table.append(keyword)
        loadedKeywords = table
        hasNewKeywords = true
        try transaction.submit(SQL.insertKeyword, mailbox.id, number, keyword.name)
        return ChunkState.Column.firstKeyword + UInt16(number)
    }

    /// The column of `flag`; nil for a keyword that the mailbox does not know.
    mutating func knownColumn(of flag: Flag) throws -> UInt16? {
        if case .keyword = flag { return try keywords().column(of: flag) }
        return KeywordTable().column(of: flag)
    }

    mutating func keywords() throws -> KeywordTable {
        if let loadedKeywords { return loadedKeywords }
        let table = try KeywordTable.read(of: mailbox.id, with: transaction.reader)
        loadedKeywords = table
        return table
    }

    // MARK: Reading

    /// Gives `body` the stored chunks among `numbers`, in order.
    static func read(
        _ numbers: ClosedRange<Int>,
        of mailbox: MailboxID,
        with reader: Reader,
        _ body: (Int, ChunkState) -> Void
    ) throws {
        try reader.query(
            SQL.chunks,
            ChunkKey.make(mailbox, numbers.lowerBound),
            ChunkKey.make(mailbox, numbers.upperBound)
        ) { row in
            let number = ChunkKey.chunk(row.int(0))
            let highest = row.int(1)
            let state = row.withBytes(2) { ChunkState(decoding: $0, highestModSeq: highest) }
            guard let state else {
                throw StoreError.damaged("state of mailbox \(mailbox.rawValue), chunk \(number)")
            }
            body(number, state)
        }
    }
}

extension KeywordTable {
    static func read(of mailbox: MailboxID, with reader: Reader) throws -> KeywordTable {
        var table = KeywordTable()
        try reader.query(SQL.keywords, mailbox) { row in
            guard row.int(0) == Int64(table.names.count), let keyword = Keyword(row.text(1))
            else { throw StoreError.damaged("keywords of mailbox \(mailbox.rawValue)") }
            table.append(keyword)
        }
        return table
    }
}
