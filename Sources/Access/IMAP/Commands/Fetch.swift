import IMAP
import MIME
import Mail
import Store
import Wire

extension IMAPSession {
    /// Messages whose flags are written between two looks at the size of the slice.
    private static var piece: Int { 2_048 }
    /// Message rows written between two looks at the size of the slice.
    private static var rowPiece: Int { 128 }

    /// FETCH.
    ///
    /// RFC 9051 §6.4.5, RFC 7162 §3.1.4, §3.2.6
    mutating func fetch(_ command: FetchCommand) async throws(Refusal) -> Completion {
        var mailbox = try mailbox()
        guard !command.vanished || client.usesQuickResync else {
            throw Refusal(.bad, nil, "Enable QRESYNC first")
        }
        var items = command.items
        if command.changedSince != nil, !items.contains(.modSeq) { items.append(.modSeq) }
        if command.numbering == .uid, !items.contains(.uid) { items.insert(.uid, at: 0) }
        if items.contains(.modSeq) { useCondstore() }
        var uids = try mailbox.uids(command.set, command.numbering)
        if let since = command.changedSince {
            let known = mailbox.known
            let changed = try await storing {
                try await door.store.changed(since: since, in: known)
            }
            uids = uids.intersection(changed)
            if command.vanished { tellVanished(command.set, since, known) }
        }
        var plan = FetchPlan(items)
        if plan.marksSeen, mailbox.mode == .readWrite {
            let newlySeen = try await markSeen(uids, mailbox)
            if !newlySeen.isEmpty, !items.contains(.flags) {
                // Their flags have changed, which the client learns in the same response.
                items.append(.flags)
                plan = FetchPlan(items)
            }
            mailbox = try self.mailbox()
        }
        let isComplete = try await fetch(plan, of: uids)
        guard isComplete else {
            throw Refusal(.no, .unknownCTE, "Cannot decode every part asked for")
        }
        return Completion(
            nil,
            command.numbering == .uid ? "UID FETCH completed" : "FETCH completed"
        )
    }

    /// VANISHED (EARLIER) for what the client may still believe to be there.
    private mutating func tellVanished(
        _ set: SequenceSet,
        _ since: ModSeq,
        _ known: MailboxSnapshot
    ) {
        let asked = set.numbers(last: max(1, known.uidNext) - 1)
        writer.vanished(known.expunged(since: since).intersection(asked), earlier: true)
    }

    /// Sets `\Seen` where it is missing, before anything is written.
    private mutating func markSeen(
        _ uids: UIDSet,
        _ mailbox: Selected
    ) async throws(Refusal) -> UIDSet {
        let unseen = uids.intersection(mailbox.known.uids(without: .seen))
        guard !unseen.isEmpty else { return unseen }
        let account = try account().account
        _ = try await storing {
            try await door.store.changeFlags(
                of: unseen,
                in: mailbox.image,
                by: .add([.seen]),
                agent: account
            )
        }
        var own = OwnChange()
        own.silent = unseen
        await tellChanges(.expungesHeld, own: own)
        return unseen
    }

    /// Writes the FETCH responses; false when a part could not be decoded.
    @discardableResult
    mutating func fetch(_ plan: FetchPlan, of uids: UIDSet) async throws(Refusal) -> Bool {
        if plan.needsRows { return try await fetchRows(plan, uids) }
        if plan.needsBodies { return try await fetchBodies(plan, uids, nil) }
        for batch in uids.batches(of: Self.piece) {
            let mailbox = try mailbox()
            mailbox.known.forEach(in: batch) { number, uid, flags in
                writer.beginFetch(number)
                for item in plan.items {
                    if item == .uid { writer.fetchUID(uid.rawValue) }
                    if item == .flags {
                        writer.fetchFlags(
                            system: flags.system,
                            keywords: mailbox.keywords(of: flags)
                        )
                    }
                }
                writer.endFetch()
            }
            try await flushSlice()
        }
        return true
    }

    private mutating func fetchRows(_ plan: FetchPlan, _ uids: UIDSet) async throws(Refusal) -> Bool
    {
        let mailbox = try mailbox()
        var scan = door.store.rows(of: uids, in: mailbox.image, columns: plan.columns)
        var isComplete = true
        while let rows = try await next(&scan) {
            if plan.needsBodies {
                var batch = UIDSet()
                for row in rows.rows { batch.insert(row.uid.rawValue) }
                let isWhole = try await fetchBodies(plan, batch, rows)
                isComplete = isComplete && isWhole
                continue
            }
            var rest = rows.rows[...]
            while !rest.isEmpty {
                write(rest.prefix(Self.rowPiece), rows, plan, mailbox)
                rest = rest.dropFirst(Self.rowPiece)
                try await flushSlice()
            }
        }
        return isComplete
    }

    /// FETCH responses of some rows, whose sequence numbers are found in one pass.
    private mutating func write(
        _ piece: ArraySlice<MessageRow>,
        _ rows: MessageRows,
        _ plan: FetchPlan,
        _ mailbox: Selected
    ) {
        var uids = UIDSet()
        for row in piece { uids.insert(row.uid.rawValue) }
        var index = piece.startIndex
        mailbox.known.forEach(in: uids) { number, uid, _ in
            while index < piece.endIndex, piece[index].uid < uid { index += 1 }
            guard index < piece.endIndex else { return }
            writer.beginFetch(number)
            for item in plan.items { write(item, piece[index], rows, mailbox) }
            writer.endFetch()
        }
    }

    private func next(_ scan: inout MessageScan) async throws(Refusal) -> MessageRows? {
        do throws(StoreError) {
            return try await scan.next()
        } catch {
            throw Refusal(error)
        }
    }

    private func next(_ scan: inout BodyScan) async throws(Refusal) -> [MessageBody]? {
        do throws(StoreError) {
            return try await scan.next()
        } catch {
            throw Refusal(error)
        }
    }

    private mutating func fetchBodies(
        _ plan: FetchPlan,
        _ uids: UIDSet,
        _ rows: MessageRows?
    ) async throws(Refusal) -> Bool {
        let mailbox = try mailbox()
        var isComplete = true
        let scan = door.store.bodies(of: uids, in: mailbox.image, length: plan.bodyBytes)
        var rowIndex = 0
        var batch = try await Self.batch(of: scan).get()
        while let (bodies, rest) = batch {
            // The next bodies are read and decompressed while these are sent.
            async let following = Self.batch(of: rest)
            for beginning in bodies {
                guard let number = mailbox.known.sequenceNumber(of: beginning.uid) else { continue }
                var content = FetchedContent(beginning)
                if plan.needsOnlyHeader {
                    if let header = beginning.header {
                        content = FetchedContent(beginning, header: header)
                    } else {
                        content = try await whole(beginning.uid, mailbox) ?? content
                    }
                }
                var row: MessageRow?
                if let rows {
                    while rowIndex < rows.rows.count, rows.rows[rowIndex].uid < beginning.uid {
                        rowIndex += 1
                    }
                    if rowIndex < rows.rows.count { row = rows.rows[rowIndex] }
                }
                writer.beginFetch(number)
                for item in plan.items {
                    if let row, let rows {
                        write(item, row, rows, mailbox)
                    } else {
                        writeFlags(item, beginning.uid, mailbox)
                    }
                    let isDecoded = try await write(item, &content)
                    isComplete = isComplete && isDecoded
                }
                writer.endFetch()
                try await flushSlice()
            }
            batch = try await following.get()
        }
        return isComplete
    }

    /// A result and not a throwing function: `async let` would forget the error's type.
    private static func batch(
        of scan: BodyScan
    ) async -> Result<(bodies: [MessageBody], rest: BodyScan)?, Refusal> {
        do throws(StoreError) {
            return .success(try await scan.batch())
        } catch {
            return .failure(Refusal(error))
        }
    }

    private func whole(_ uid: UID, _ mailbox: Selected) async throws(Refusal) -> FetchedContent? {
        var scan = door.store.bodies(of: UIDSet(uid.rawValue...uid.rawValue), in: mailbox.image)
        return try await next(&scan)?.first.map(FetchedContent.init)
    }

    // MARK: Items

    private mutating func writeFlags(_ item: FetchItem, _ uid: UID, _ mailbox: Selected) {
        if item == .uid { writer.fetchUID(uid.rawValue) }
        if item == .flags {
            let flags = mailbox.known.flags(of: uid)
            writer.fetchFlags(system: flags.system, keywords: mailbox.keywords(of: flags))
        }
    }

    private mutating func write(
        _ item: FetchItem,
        _ row: MessageRow,
        _ rows: MessageRows,
        _ mailbox: Selected
    ) {
        switch item {
        case .uid, .flags: writeFlags(item, row.uid, mailbox)
        case .internalDate: writer.fetchInternalDate(row.internalDate / 1_000)
        case .rfc822Size: writer.fetchSize(Int64(row.size))
        case .modSeq: writer.fetchModSeq(mailbox.known.modSeq(of: row.uid) ?? row.modSeq)
        case .envelope: writer.fetchReady("ENVELOPE", rows.bytes[row.envelope])
        case .bodyStructure: writer.fetchReady("BODYSTRUCTURE", rows.bytes[row.structure])
        case .body, .section, .binary, .binarySize, .rfc822, .rfc822Header, .rfc822Text: break
        }
    }

    /// Writes an item that comes from the body; false when its encoding is not known.
    private mutating func write(
        _ item: FetchItem,
        _ content: inout FetchedContent
    ) async throws(Refusal) -> Bool {
        switch item {
        case .uid, .flags, .internalDate, .rfc822Size, .modSeq, .envelope, .bodyStructure: break
        case .body: writer.fetchReady("BODY", content.message.body()[...])
        case .binarySize(let part):
            guard let size = content.binarySize(part) else { return false }
            writer.fetchBinarySize(part: part, Int64(size))
        case .section, .binary, .rfc822, .rfc822Header, .rfc822Text:
            switch content.piece(item) {
            case .missing: writer.missingSection(item)
            case .unknownEncoding: return false
            case .range(let range): try await write(item, content.body.bytes[range])
            case .bytes(let bytes): try await write(item, bytes[...])
            }
        }
        return true
    }

    /// The literal of a section.
    private mutating func write(
        _ item: FetchItem,
        _ bytes: ArraySlice<UInt8>
    ) async throws(Refusal) {
        var isBinary = false
        if case .binary = item { isBinary = bytes.firstIndex(ofByte: 0) != nil }
        writer.beginSection(item, size: bytes.count, isBinary: isBinary)
        guard bytes.count > Self.sliceBytes else {
            writer.bytes.append(contentsOf: bytes)
            return
        }
        guard await flush() else { throw Refusal(.no, .unavailable, "Connection lost") }
        // A whole body goes out as it is, without a copy.
        writer.bytes = Array(bytes)
        guard await flush() else { throw Refusal(.no, .unavailable, "Connection lost") }
    }
}
