import Mail
import Store
import TestRig
import Testing

/// Random operations, told to the store and to plain dictionaries.
@Suite struct ModelTests {
    @Test(arguments: TestEngine.allCases, 1...5)
    func `the store agrees with a naive model`(engine: TestEngine, seed: UInt64) async throws {
        var random = RandomNumbers(seed: seed)
        try await withStore(engine) { fixture in
            try await fixture.store.openAccount(anne)
            var model = Model(fixture: fixture)
            for _ in 0..<120 { try await model.step(using: &random) }
            try await model.compareDeeply()
            #expect(try await fixture.store.check(bodies: .contents) == [])
        }
    }
}

private struct ModelMessage: Equatable {
    var text: String
    var size: Int
    var flags: Set<Flag>
    /// The mod-sequence of the last change, arrival included.
    var changed: ModSeq
}

private struct ModelMailbox {
    var image: MailboxImage
    var messages: [UInt32: ModelMessage] = [:]
    var expunged: [UInt32: ModSeq] = [:]
    /// What a client knows that is told of changes now and then.
    var client: MailboxSnapshot
    var clientFlags: [UInt32: Set<Flag>] = [:]
}

private struct Model {
    let fixture: Fixture
    var mailboxes: [String: ModelMailbox] = [:]
    var counter = 0

    var store: Store { fixture.store }

    init(fixture: Fixture) {
        self.fixture = fixture
    }

    // MARK: Operations

    mutating func step(using random: inout RandomNumbers) async throws {
        if mailboxes["INBOX"] == nil { try await open("INBOX") }
        let names = mailboxes.keys.sorted()
        let name = names.randomElement(using: &random) ?? "INBOX"
        let before = mailboxes.mapValues { $0.image.snapshot }
        switch Int.random(in: 0..<24, using: &random) {
        case 0..<5: try await deliver(using: &random)
        case 5..<9: try await append(to: name, using: &random)
        case 9..<15: try await changeFlags(in: name, using: &random)
        case 15..<17: try await expunge(in: name, using: &random)
        case 17..<19: try await copy(from: name, to: names, using: &random)
        case 19..<21: try await move(from: name, to: names, using: &random)
        case 21: try await create()
        case 22: try await rename(name)
        default: try await delete(name, using: &random)
        }
        for (name, old) in before {
            guard let mailbox = mailboxes[name], mailbox.image.id == old.id else { continue }
            let now = try await store.refresh(mailbox.image)
            #expect(now.uidNext >= old.uidNext)
            #expect(now.highestModSeq >= old.highestModSeq)
        }
        try await compareCounters()
        if let name = mailboxes.keys.sorted().randomElement(using: &random) {
            try await tellClient(of: name)
            try await compareChanges(in: name, using: &random)
        }
    }

    private mutating func open(_ name: String) async throws {
        let image = try await store.open(name, in: anne, by: anne)
        var mailbox = ModelMailbox(image: image, client: image.snapshot)
        image.snapshot.forEach(in: UIDSet(1...UInt32.max)) { _, uid, flags in
            mailbox.clientFlags[uid.rawValue] = Set(mailbox.client.keywords.list(flags))
        }
        mailboxes[name] = mailbox
    }

    private mutating func deliver(using random: inout RandomNumbers) async throws {
        let (text, bytes) = newMessage(using: &random)
        let flags = randomFlags(using: &random)
        let outcomes = try await fixture.deliver(
            bytes,
            to: [DeliveryTarget(account: anne, flags: flags)]
        )
        guard case .delivered(let delivered) = outcomes.first else {
            Issue.record("not delivered")
            return
        }
        mailboxes["INBOX"]?.messages[delivered.uid.rawValue] = ModelMessage(
            text: text,
            size: bytes.count,
            flags: flags,
            changed: delivered.modSeq
        )
    }

    private mutating func append(
        to name: String,
        using random: inout RandomNumbers
    ) async throws {
        var appended: [AppendedMessage] = []
        var added: [ModelMessage] = []
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            let (text, bytes) = newMessage(using: &random)
            let flags = randomFlags(using: &random)
            appended.append(AppendedMessage(try await store.prepare(bytes), flags: flags))
            added.append(
                ModelMessage(
                    text: text,
                    size: bytes.count,
                    flags: flags,
                    changed: ModSeq(rawValue: 0)
                )
            )
        }
        let placed = try await store.append(appended, to: name, in: anne, by: anne)
        let modSeq = try await highest(name)
        guard let uids = placed.uids else {
            Issue.record("no UIDs")
            return
        }
        #expect(uids.count == added.count)
        for (uid, var message) in zip(uids, added) {
            message.changed = modSeq
            mailboxes[name]?.messages[uid] = message
        }
    }

    private mutating func changeFlags(
        in name: String,
        using random: inout RandomNumbers
    ) async throws {
        guard let mailbox = mailboxes[name] else { return }
        let uids = randomUIDs(of: mailbox, using: &random)
        let flags = randomFlags(using: &random)
        let change: FlagChange =
            switch Int.random(in: 0...2, using: &random) {
            case 0: .add(flags)
            case 1: .remove(flags)
            default: .replace(flags)
            }
        let limit =
            Int.random(in: 0...3, using: &random) == 0
            ? ModSeq(
                rawValue: .random(
                    in: 0...mailbox.image.snapshot.highestModSeq.rawValue,
                    using: &random
                )
            ) : nil
        let result = try await store.changeFlags(
            of: uids,
            in: mailbox.image,
            by: change,
            unchangedSince: limit,
            agent: anne
        )
        let modSeq = try await highest(name)
        var modified: [UInt32] = []
        var changed: [UInt32] = []
        for uid in mailbox.messages.keys.sorted() where uids.contains(uid) {
            guard var message = mailbox.messages[uid] else { continue }
            if let limit, message.changed > limit {
                modified.append(uid)
                continue
            }
            let old = message.flags
            switch change {
            case .add(let flags): message.flags.formUnion(flags)
            case .remove(let flags): message.flags.subtract(flags)
            case .replace(let flags): message.flags = flags
            }
            if message.flags == old { continue }
            message.changed = modSeq
            changed.append(uid)
            mailboxes[name]?.messages[uid] = message
        }
        #expect(Array(result.modified) == modified)
        #expect(Array(result.changed) == changed)
    }

    private mutating func expunge(
        in name: String,
        using random: inout RandomNumbers
    ) async throws {
        guard let mailbox = mailboxes[name] else { return }
        let some =
            Bool.random(using: &random) ? randomUIDs(of: mailbox, using: &random) : nil
        let gone = try await store.expunge(some, in: mailbox.image, by: anne)
        let expected = mailbox.messages.filter { uid, message in
            message.flags.contains(.deleted) && (some?.contains(uid) ?? true)
        }.keys.sorted()
        #expect(Array(gone) == expected)
        try await forget(expected, in: name)
    }

    private mutating func copy(
        from name: String,
        to names: [String],
        using random: inout RandomNumbers
    ) async throws {
        guard let mailbox = mailboxes[name],
            let target = names.randomElement(using: &random)
        else { return }
        let uids = randomUIDs(of: mailbox, using: &random)
        let placed = try await store.copy(
            uids,
            from: mailbox.image,
            to: target,
            in: anne,
            by: anne
        )
        try await place(placed, of: uids, from: mailbox, in: target)
    }

    private mutating func move(
        from name: String,
        to names: [String],
        using random: inout RandomNumbers
    ) async throws {
        guard let mailbox = mailboxes[name],
            let target = names.randomElement(using: &random)
        else { return }
        let uids = randomUIDs(of: mailbox, using: &random)
        let placed = try await store.move(uids, from: mailbox.image, to: target, by: anne)
        // In one and the same mailbox the arrival comes before the expunge, one mod-sequence each.
        let arrival =
            target == name && !placed.sources.isEmpty
            ? ModSeq(rawValue: try await highest(name).rawValue - 1) : nil
        try await place(placed, of: uids, from: mailbox, in: target, modSeq: arrival)
        try await forget(Array(placed.sources), in: name)
    }

    private mutating func place(
        _ placed: PlacedMessages,
        of uids: UIDSet,
        from source: ModelMailbox,
        in target: String,
        modSeq: ModSeq? = nil
    ) async throws {
        let chosen = source.messages.keys.sorted().filter { uids.contains($0) }
        #expect(Array(placed.sources) == chosen)
        let highest = try await highest(target)
        let modSeq = modSeq ?? highest
        #expect((placed.uids.map { Array($0) } ?? []).count == chosen.count)
        for (uid, copy) in zip(chosen, placed.uids.map { Array($0) } ?? []) {
            guard var message = source.messages[uid] else { continue }
            message.changed = modSeq
            mailboxes[target]?.messages[copy] = message
        }
    }

    private mutating func create() async throws {
        counter += 1
        let name = "Box \(counter)/été"
        try await store.create(name, in: anne, by: anne)
        try await open("Box \(counter)")
        try await open(name)
    }

    private mutating func rename(_ name: String) async throws {
        counter += 1
        let newName = "Renamed \(counter)"
        try await store.rename(name, to: newName, in: anne, by: anne)
        if name == "INBOX" {
            let messages = mailboxes["INBOX"]?.messages ?? [:]
            try await forget(messages.keys.sorted(), in: "INBOX")
            try await open(newName)
            let modSeq = try await highest(newName)
            let first = mailboxes[newName]?.image.snapshot.uids.min ?? 1
            for (index, uid) in messages.keys.sorted().enumerated() {
                var message = messages[uid]
                message?.changed = modSeq
                mailboxes[newName]?.messages[first + UInt32(index)] = message
            }
            return
        }
        for (old, mailbox) in mailboxes where old == name || old.hasPrefix(name + "/") {
            mailboxes[old] = nil
            mailboxes[newName + old.dropFirst(name.count)] = mailbox
        }
    }

    private mutating func delete(
        _ name: String,
        using random: inout RandomNumbers
    ) async throws {
        guard name != "INBOX", Bool.random(using: &random) else { return }
        let image = mailboxes[name]?.image
        try await store.delete(name, in: anne, by: anne)
        mailboxes[name] = nil
        #expect(image?.isRemoved == true)
    }

    // MARK: Comparisons

    private func compareCounters() async throws {
        let list = try await store.list(of: anne, by: anne)
        var bytes = 0
        var messages = 0
        for (name, mailbox) in mailboxes {
            guard let summary = list.mailboxes.first(where: { $0.name == name }) else {
                Issue.record("\(name) is not listed")
                continue
            }
            let all = mailbox.messages.values
            #expect(summary.messages == all.count)
            #expect(summary.unseen == all.count { !$0.flags.contains(.seen) })
            #expect(summary.deleted == all.count { $0.flags.contains(.deleted) })
            #expect(summary.size == Int64(all.reduce(0) { $0 + $1.size }))
            bytes += all.reduce(0) { $0 + $1.size }
            messages += all.count
        }
        let usage = try await store.usage(of: anne)
        #expect(usage == QuotaUsage(bytes: Int64(bytes), messages: Int64(messages)))
    }

    private func compareChanges(
        in name: String,
        using random: inout RandomNumbers
    ) async throws {
        guard let mailbox = mailboxes[name] else { return }
        let snapshot = try await store.refresh(mailbox.image)
        let since = ModSeq(
            rawValue: .random(in: 0...snapshot.highestModSeq.rawValue, using: &random)
        )
        let expected = mailbox.messages.filter { $0.value.changed > since }.keys.sorted()
        #expect(Array(try await store.changed(since: since, in: snapshot)) == expected)
        let vanished = mailbox.expunged.filter { $0.value > since }.keys.sorted()
        #expect(Array(snapshot.expunged(since: since)) == vanished)
    }

    /// Tells the client what has changed, and expects that it then knows all.
    private mutating func tellClient(of name: String) async throws {
        guard var mailbox = mailboxes[name] else { return }
        let snapshot = try await store.refresh(mailbox.image)
        let changes = snapshot.changes(since: mailbox.client)
        for uid in changes.expunged { mailbox.clientFlags[uid] = nil }
        for uid in changes.arrived.union(changes.flagsChanged) {
            let flags = snapshot.flags(of: UID(rawValue: uid))
            mailbox.clientFlags[uid] = Set(snapshot.keywords.list(flags))
        }
        mailbox.client = snapshot
        #expect(mailbox.clientFlags == mailbox.messages.mapValues(\.flags))
        mailboxes[name] = mailbox
    }

    /// Everything, bodies included, as a process sees it that has just started.
    func compareDeeply() async throws {
        let fresh = try await fixture.another()
        for (name, mailbox) in mailboxes {
            let image = try await fresh.open(name, in: anne, by: anne)
            let snapshot = image.snapshot
            let uids = mailbox.messages.keys.sorted()
            #expect(Array(snapshot.uids) == uids)
            #expect(snapshot.keywords == mailbox.image.snapshot.keywords)
            for uid in uids {
                let flags = snapshot.flags(of: UID(rawValue: uid))
                #expect(Set(snapshot.keywords.list(flags)) == mailbox.messages[uid]?.flags)
            }
            let bodies = try await all(fresh.bodies(of: snapshot.uids, in: image))
            #expect(bodies.map(\.uid.rawValue) == uids)
            for body in bodies {
                let text = mailbox.messages[body.uid.rawValue]?.text
                let lines = String(decoding: body.bytes, as: UTF8.self).split(separator: "\r\n")
                #expect(lines.contains("Subject: \(text ?? "-")"))
                #expect(body.bytes.count == mailbox.messages[body.uid.rawValue]?.size)
            }
            let rows = try await all(fresh.rows(of: snapshot.uids, in: image, columns: .envelope))
            #expect(rows.map(\.uid.rawValue) == uids)
            #expect(rows.allSatisfy { $0.size == mailbox.messages[$0.uid.rawValue]?.size })
        }
    }

    // MARK: Helpers

    private func highest(_ name: String) async throws -> ModSeq {
        guard let image = mailboxes[name]?.image else { return ModSeq(rawValue: 0) }
        return try await store.refresh(image).highestModSeq
    }

    private mutating func forget(_ uids: [UInt32], in name: String) async throws {
        let modSeq = try await highest(name)
        for uid in uids {
            mailboxes[name]?.messages[uid] = nil
            mailboxes[name]?.expunged[uid] = modSeq
        }
    }

    private mutating func newMessage(
        using random: inout RandomNumbers
    ) -> (text: String, bytes: [UInt8]) {
        counter += 1
        let text = "message \(counter)"
        let size = [0, 0, 3_000, 40_000].randomElement(using: &random) ?? 0
        return (text, message(text, size: size))
    }

    private func randomFlags(using random: inout RandomNumbers) -> Set<Flag> {
        let keywords = ["$Forwarded", "Work", "NonJunk"].compactMap { Keyword($0) }
        let flags: [Flag] =
            [.seen, .answered, .flagged, .deleted, .draft] + keywords.map(Flag.keyword)
        return Set(flags.filter { _ in Int.random(in: 0...3, using: &random) == 0 })
    }

    private func randomUIDs(
        of mailbox: ModelMailbox,
        using random: inout RandomNumbers
    ) -> UIDSet {
        if Int.random(in: 0...3, using: &random) == 0 { return UIDSet(1...UInt32.max) }
        let limit = mailbox.image.snapshot.uidNext + 2
        return UIDSet(
            (0..<Int.random(in: 1...4, using: &random)).map { _ in
                let low = UInt32.random(in: 1...limit, using: &random)
                return low...(low + UInt32.random(in: 0...4, using: &random))
            }
        )
    }
}
