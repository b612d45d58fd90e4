import Mail
import Store
import TestRig
import Testing

@Suite struct DeliveryTests {
    @Test(arguments: TestEngine.allCases)
    func `one body serves all recipients, and mailboxes come to life`(
        engine: TestEngine
    ) async throws {
        try await withStore(engine) { fixture in
            let store = fixture.store
            let outcomes = try await fixture.deliver(
                message("Bonjour"),
                to: [
                    DeliveryTarget(account: anne),
                    DeliveryTarget(account: benoit, flags: [.flagged], language: .french),
                ]
            )
            #expect(outcomes.count == 2)
            #expect(try await fixture.number("SELECT count(*) FROM body") == 1)
            #expect(try await fixture.number("SELECT count(*) FROM message") == 2)

            let french = try await store.list(of: benoit, by: benoit)
            #expect(
                french.mailboxes.map(\.name) == [
                    "Archives", "Brouillons", "Corbeille", "Envoyés", "INBOX", "Indésirables",
                ]
            )
            #expect(french.mailboxes.first { $0.name == "Envoyés" }?.specialUse == .sent)
            #expect(french.subscriptions.count == 6)
            let image = try await store.open("INBOX", in: benoit, by: benoit)
            #expect(image.snapshot.flags(of: UID(rawValue: 1)).isFlagged)
            #expect(image.snapshot.modSeq(of: UID(rawValue: 1)) == nil)
            #expect(try await store.check(bodies: .contents) == [])
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `rows say what the message says`(engine: TestEngine) async throws {
        try await withStore(engine) { fixture in
            let store = fixture.store
            let root = Array(
                "Message-ID: <root@demo.example>\r\nSubject: One\r\n\r\nHello there\r\n".utf8
            )
            let answer = Array(
                """
                Message-ID: <answer@demo.example>\r
                References: <root@demo.example> <other@demo.example>\r
                In-Reply-To: <other@demo.example>\r
                Subject: Re: One\r
                \r
                Hi\r

                """.utf8
            )
            try await fixture.deliver(root)
            fixture.advance(milliseconds: 5_000)
            try await fixture.deliver(
                answer,
                to: [DeliveryTarget(account: anne, internalDate: 1_000)]
            )
            try await fixture.deliver(root)

            let image = try await store.open("INBOX", in: anne, by: anne)
            var scan = store.rows(
                of: UIDSet(1...10),
                in: image,
                columns: [.envelope, .structure, .preview, .emailID]
            )
            let batch = try #require(try await scan.next())
            #expect(try await scan.next() == nil)
            let rows = batch.rows
            try #require(rows.map(\.uid.rawValue) == [1, 2, 3])
            #expect(rows.map(\.size) == [root.count, answer.count, root.count])
            #expect(Set(rows.map(\.threadID)).count == 1)
            #expect(rows[0].internalDate == Fixture.start)
            #expect(rows[1].internalDate == 1_000)
            #expect(rows[1].saveDate == Fixture.start + 5_000)
            #expect(rows[0].modSeq < rows[1].modSeq)
            let envelope = String(decoding: batch.bytes[rows[1].envelope], as: UTF8.self)
            #expect(envelope.contains("\"Re: One\"") && envelope.hasPrefix("("))
            let structure = String(decoding: batch.bytes[rows[0].structure], as: UTF8.self)
            #expect(structure.uppercased().hasPrefix("(\"TEXT\" \"PLAIN\""))
            #expect(batch.bytes[rows[0].preview].elementsEqual("Hello there".utf8))
            let ids = rows.map { EmailID(bytes: Array(batch.bytes[$0.emailID])).text }
            #expect(ids[0] == ids[2] && ids[0] != ids[1] && ids[0].count == 33)
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a target over quota is refused alone, and its usage stays`(
        engine: TestEngine
    ) async throws {
        try await withStore(engine) { fixture in
            let bytes = message("big", size: 2_000)
            let limit = QuotaLimit(bytes: Int64(bytes.count) * 2, messages: nil)
            let targets = [
                DeliveryTarget(account: anne, quota: limit), DeliveryTarget(account: benoit),
            ]
            for _ in 1...2 {
                let outcomes = try await fixture.deliver(bytes, to: targets)
                #expect(!outcomes.contains(.overQuota))
            }
            let outcomes = try await fixture.deliver(bytes, to: targets)
            #expect(outcomes.first == .overQuota)
            #expect(outcomes.last != .overQuota)
            let one = QuotaLimit(messages: 1)
            let refused = try await fixture.deliver(
                bytes,
                to: [DeliveryTarget(account: anne, quota: one)]
            )
            #expect(refused == [.overQuota])
            let prepared = try await fixture.store.prepare(bytes)
            await #expect(throws: StoreError.overQuota(anne)) {
                try await fixture.store.append(
                    [AppendedMessage(prepared)],
                    to: "INBOX",
                    in: anne,
                    quota: limit,
                    by: anne
                )
            }
            let image = try await fixture.store.open("INBOX", in: anne, by: anne)
            await #expect(throws: StoreError.overQuota(anne)) {
                try await fixture.store.copy(
                    UIDSet(1...1),
                    from: image,
                    to: "Archive",
                    in: anne,
                    quota: limit,
                    by: anne
                )
            }
            let usage = try await fixture.store.usage(of: anne)
            #expect(usage == QuotaUsage(bytes: Int64(bytes.count) * 2, messages: 2))
            #expect(try await fixture.store.check() == [])
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `deliveries side by side lose nothing and give every UID once`(
        engine: TestEngine
    ) async throws {
        try await withStore(engine) { fixture in
            let accounts = (1...4).map { AccountID(rawValue: $0) }
            var delivered: [AccountID: Set<UInt32>] = [:]
            try await withThrowingTaskGroup(of: (AccountID, UInt32).self) { group in
                for number in 0..<200 {
                    // Half of them for the same account.
                    let account = number % 2 == 0 ? anne : accounts[number % 4]
                    group.addTask {
                        let outcomes = try await fixture.deliver(
                            message("side by side \(number)"),
                            to: [DeliveryTarget(account: account)]
                        )
                        guard case .delivered(let message) = outcomes.first else {
                            throw StoreError.noSuchMailbox
                        }
                        return (account, message.uid.rawValue)
                    }
                }
                for try await (account, uid) in group {
                    #expect(delivered[account, default: []].insert(uid).inserted)
                }
            }
            #expect(delivered.values.reduce(0) { $0 + $1.count } == 200)
            for (account, uids) in delivered {
                #expect(uids == Set(1...UInt32(uids.count)))
                let image = try await fixture.store.open("INBOX", in: account, by: account)
                #expect(image.snapshot.count == uids.count)
            }
            #expect(try await fixture.store.check(bodies: .contents) == [])
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `mail for a mailbox that is gone reaches INBOX`(engine: TestEngine) async throws {
        try await withStore(engine) { fixture in
            try await fixture.store.create("Lists/Swift", in: anne, by: anne)
            for name in ["Lists/Swift", "Lists/Gone"] {
                try await fixture.deliver(
                    message(name),
                    to: [DeliveryTarget(account: anne, mailbox: name)]
                )
            }
            let list = try await fixture.store.list(of: anne, by: anne)
            let counts = Dictionary(
                uniqueKeysWithValues: list.mailboxes.map { ($0.name, $0.messages) }
            )
            #expect(counts["INBOX"] == 1)
            #expect(counts["Lists/Swift"] == 1)
            #expect(counts["Lists"] == 0)
        }
    }
}
