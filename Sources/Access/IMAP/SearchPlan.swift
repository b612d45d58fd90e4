import IMAP
import MIME
import Mail
import Store
import Wire

/// A search tree with everything decided that needs no message content.
///
/// Set algebra does the rest: what the image and the rows know becomes a set of UIDs; only what is
/// left is asked of each body.
indirect enum SearchPlan {
    case set(UIDSet)
    case and([SearchPlan])
    case or(SearchPlan, SearchPlan)
    case not(SearchPlan)
    case header(name: String, SearchPattern)
    case headerExists(name: String)
    case body(SearchPattern)
    case text(SearchPattern)

    var set: UIDSet? {
        if case .set(let set) = self { return set }
        return nil
    }

    /// True when only a header is needed to decide.
    var needsOnlyHeader: Bool {
        switch self {
        case .set, .header, .headerExists: true
        case .and(let plans): plans.allSatisfy(\.needsOnlyHeader)
        case .or(let a, let b): a.needsOnlyHeader && b.needsOnlyHeader
        case .not(let plan): plan.needsOnlyHeader
        case .body, .text: false
        }
    }

    func matches(_ uid: UID, _ message: Message) -> Bool {
        switch self {
        case .set(let set): set.contains(uid.rawValue)
        case .and(let plans): plans.allSatisfy { $0.matches(uid, message) }
        case .or(let a, let b): a.matches(uid, message) || b.matches(uid, message)
        case .not(let plan): !plan.matches(uid, message)
        case .header(let name, let pattern): message.headerContains(pattern, named: name)
        case .headerExists(let name): message.decodedField(named: name) != nil
        case .body(let pattern): message.contains(pattern, in: .body)
        case .text(let pattern): message.contains(pattern, in: .text)
        }
    }
}

/// Finds the messages that a search key means.
///
/// RFC 9051 §6.4.4
struct MailboxSearch {
    let store: Store
    let mailbox: Selected
    let charset: Charset

    /// UIDs of the messages, among those the client knows of, that match.
    func run(_ key: SearchKey) async throws(StoreError) -> UIDSet {
        let all = mailbox.known.uids
        let plan = try await plan(key, within: all)
        if let set = plan.set { return set }
        guard case .and(let plans) = plan else { return try await scan(plan, all) }
        // What is already decided narrows what must be read.
        var candidates = all
        var rest: [SearchPlan] = []
        for plan in plans {
            if let set = plan.set {
                candidates = candidates.intersection(set)
            } else {
                rest.append(plan)
            }
        }
        return try await scan(.and(rest), candidates)
    }

    private func scan(_ plan: SearchPlan, _ uids: UIDSet) async throws(StoreError) -> UIDSet {
        guard plan.needsOnlyHeader else { return try await scanBodies(plan, uids) }
        var found = UIDSet()
        var unfinished = UIDSet()
        var scan = store.bodies(of: uids, in: mailbox.image, length: FetchPlan.headerBytes)
        while let bodies = try await scan.next() {
            for body in bodies {
                guard let header = body.header else {
                    unfinished.insert(body.uid.rawValue)
                    continue
                }
                if plan.matches(body.uid, Message(Array(header))) {
                    found.insert(body.uid.rawValue)
                }
            }
        }
        return found.union(try await scanBodies(plan, unfinished))
    }

    private func scanBodies(_ plan: SearchPlan, _ uids: UIDSet) async throws(StoreError) -> UIDSet {
        var found = UIDSet()
        var scan = store.bodies(of: uids, in: mailbox.image)
        while let bodies = try await scan.next() {
            for body in bodies where plan.matches(body.uid, Message(body.bytes)) {
                found.insert(body.uid.rawValue)
            }
        }
        return found
    }

    // MARK: Planning

    private func plan(_ key: SearchKey, within all: UIDSet) async throws(StoreError) -> SearchPlan {
        switch key {
        case .all: return .set(all)
        case .recent: return .set(UIDSet())
        case .flag(let flag): return .set(mailbox.known.uids(with: flag))
        case .sequence(let set): return .set(members(set, .sequence))
        case .uid(let set): return .set(members(set, .uid))
        case .and(let keys): return try await conjunction(keys, within: all)
        case .or(let a, let b):
            let first = try await plan(a, within: all)
            let second = try await plan(b, within: all)
            if let x = first.set, let y = second.set { return .set(x.union(y)) }
            return .or(first, second)
        case .not(let inner):
            let plan = try await plan(inner, within: all)
            return plan.set.map { .set(all.subtracting($0)) } ?? .not(plan)
        case .modSeq(let modSeq):
            let since = ModSeq(rawValue: max(0, modSeq.rawValue - 1))
            return .set(try await store.changed(since: since, in: mailbox.known))
        case .larger, .smaller, .before, .on, .since, .sentBefore, .sentOn, .sentSince:
            return .set(try await rows(matching: key, within: all))
        case .header(let name, let value):
            if value.isEmpty { return .headerExists(name: name) }
            return .header(name: name, pattern(value))
        case .body(let value): return value.isEmpty ? .set(all) : .body(pattern(value))
        case .text(let value): return value.isEmpty ? .set(all) : .text(pattern(value))
        }
    }

    /// Keys that need no rows go first, so that rows are read for fewer messages.
    private func conjunction(
        _ keys: [SearchKey],
        within all: UIDSet
    ) async throws(StoreError) -> SearchPlan {
        var candidates = all
        var rest: [SearchPlan] = []
        for key in keys.filter({ !$0.readsRows }) + keys.filter(\.readsRows) {
            let plan = try await plan(key, within: candidates)
            if let set = plan.set {
                candidates = candidates.intersection(set)
            } else {
                rest.append(plan)
            }
        }
        return rest.isEmpty ? .set(candidates) : .and([.set(candidates)] + rest)
    }

    private func members(_ set: SequenceSet, _ numbering: Numbering) -> UIDSet {
        let known = mailbox.known
        if set == .savedResult { return known.existing(mailbox.savedSearch) }
        switch numbering {
        case .uid:
            let last = known.uid(at: UInt32(known.count))?.rawValue ?? 0
            return known.existing(set.numbers(last: last))
        case .sequence:
            return known.uids(atSequenceNumbers: set.numbers(last: UInt32(known.count)))
        }
    }

    private func pattern(_ bytes: [UInt8]) -> SearchPattern {
        SearchPattern(charset.decode(bytes[...]))
    }

    private func rows(
        matching key: SearchKey,
        within uids: UIDSet
    ) async throws(StoreError) -> UIDSet {
        var found = UIDSet()
        let columns: MessageColumns = key.readsDate ? [.envelope] : []
        var scan = store.rows(of: uids, in: mailbox.image, columns: columns)
        while let rows = try await scan.next() {
            for row in rows.rows where key.matches(row, rows) { found.insert(row.uid.rawValue) }
        }
        return found
    }
}

extension SearchKey {
    fileprivate var readsRows: Bool {
        switch self {
        case .larger, .smaller, .before, .on, .since, .sentBefore, .sentOn, .sentSince: true
        case .and(let keys): keys.contains(where: \.readsRows)
        case .or(let a, let b): a.readsRows || b.readsRows
        case .not(let key): key.readsRows
        default: false
        }
    }

    fileprivate var readsDate: Bool {
        switch self {
        case .sentBefore, .sentOn, .sentSince: true
        default: false
        }
    }

    fileprivate func matches(_ row: MessageRow, _ rows: MessageRows) -> Bool {
        switch self {
        case .larger(let size): return row.size > size
        case .smaller(let size): return row.size < size
        case .before(let day): return Day(unixSeconds: row.internalDate / 1_000) < day
        case .on(let day): return Day(unixSeconds: row.internalDate / 1_000) == day
        case .since(let day): return Day(unixSeconds: row.internalDate / 1_000) >= day
        case .sentBefore(let day): return Self.sent(row, rows).map { $0 < day } ?? false
        case .sentOn(let day): return Self.sent(row, rows) == day
        case .sentSince(let day): return Self.sent(row, rows).map { $0 >= day } ?? false
        default: return false
        }
    }

    /// The day of the Date field, which is the first string of ENVELOPE.
    private static func sent(_ row: MessageRow, _ rows: MessageRows) -> Day? {
        var cursor = Cursor(rows.bytes[row.envelope])
        _ = cursor.take(0x28)
        let value: ArraySlice<UInt8>
        if cursor.take(.doubleQuote) {
            value = cursor.take { $0 != .doubleQuote }
        } else if cursor.take(0x7B), let size = cursor.takeNumber(Int.self) {
            _ = cursor.take { $0 != .lf }
            _ = cursor.next()
            value = cursor.take(count: size) ?? []
        } else {
            return nil
        }
        return MailDate(parsing: value).map { Day(number: $0.writtenDay) }
    }
}
