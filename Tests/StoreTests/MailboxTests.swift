import Mail
import Store
import TestRig
import Testing

@Suite struct MailboxTests {
    @Test(arguments: TestEngine.allCases)
    func `a name that is used again has a greater UIDVALIDITY and another identifier`(
        engine: TestEngine
    ) async throws {
        try await withStore(engine) { fixture in
            let store = fixture.store
            var last: (validity: UInt32, id: MailboxID)?
            for _ in 1...3 {
                try await store.create("Projects", in: anne, by: anne)
                let status = try await store.status(of: "Projects", in: anne, by: anne)
                if let last {
                    #expect(status.uidValidity.rawValue > last.validity)
                    #expect(status.id > last.id)
                }
                last = (status.uidValidity.rawValue, status.id)
                try await store.delete("Projects", in: anne, by: anne)
                await #expect(throws: StoreError.noSuchMailbox) {
                    try await store.status(of: "Projects", in: anne, by: anne)
                }
            }
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `creating makes the levels above, renaming takes those below along`(
        engine: TestEngine
    ) async throws {
        try await withStore(engine) { fixture in
            let store = fixture.store
            try await store.create("a/b/c/", in: anne, specialUse: .archive, by: anne)
            try await store.create("ab", in: anne, by: anne)
            let id = try await store.status(of: "a/b/c", in: anne, by: anne).id
            try await store.rename("a/b", to: "x/y", in: anne, by: anne)
            let names = try await store.list(of: anne, by: anne).mailboxes.map(\.name)
            let expected: Set = ["a", "ab", "x", "x/y", "x/y/c"]
            #expect(expected.isSubset(of: names))
            #expect(!names.contains("a/b"))
            let moved = try await store.status(of: "x/y/c", in: anne, by: anne)
            #expect(moved.id == id)
            #expect(moved.specialUse == .archive)

            await #expect(throws: StoreError.mailboxExists) {
                try await store.rename("x", to: "ab", in: anne, by: anne)
            }
            await #expect(throws: StoreError.noSuchMailbox) {
                try await store.rename("nowhere", to: "else", in: anne, by: anne)
            }
            await #expect(throws: StoreError.invalidName) {
                try await store.rename("x", to: "x/y/z", in: anne, by: anne)
            }
            await #expect(throws: StoreError.mailboxExists) {
                try await store.create("x/y", in: anne, by: anne)
            }
            await #expect(throws: StoreError.inboxStays) {
                try await store.delete("INBOX", in: anne, by: anne)
            }
        }
    }

    @Test(arguments: [
        "", "/", "a//b", "/a", "a\u{7}b", String(repeating: "é", count: 501), ".", "a/../b",
        String(repeating: "x", count: 201),
    ])
    func `names that cannot be are refused`(name: String) async throws {
        try await withStore(.sqlite) { fixture in
            await #expect(throws: StoreError.invalidName) {
                try await fixture.store.create(name, in: anne, by: anne)
            }
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `subscriptions are names, not mailboxes`(engine: TestEngine) async throws {
        try await withStore(engine) { fixture in
            let store = fixture.store
            for _ in 1...2 { try await store.subscribe(to: "Not/there", in: anne, by: anne) }
            #expect(try await store.list(of: anne, by: anne).subscriptions == ["Not/there"])
            for _ in 1...2 {
                try await store.unsubscribe(from: "Not/there", in: anne, by: anne)
            }
            #expect(try await store.list(of: anne, by: anne).subscriptions.isEmpty)
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a mailbox takes 128 keywords and refuses one more`(engine: TestEngine) async throws {
        try await withStore(engine) { fixture in
            let store = fixture.store
            try await fixture.deliver(message("tagged"))
            let image = try await store.open("INBOX", in: anne, by: anne)
            let keywords = (0..<MessageFlags.maximumKeywords).compactMap {
                Keyword("tag\($0)").map(Flag.keyword)
            }
            let result = try await store.changeFlags(
                of: UIDSet(1...1),
                in: image,
                by: .add(Set(keywords)),
                agent: anne
            )
            let flags = result.snapshot.flags(of: UID(rawValue: 1))
            #expect(Set(result.snapshot.keywords.list(flags)) == Set(keywords))
            let further = try #require(Keyword("TAG128"))
            await #expect(throws: StoreError.tooManyKeywords) {
                try await store.changeFlags(
                    of: UIDSet(1...1),
                    in: image,
                    by: .add([.keyword(further), .seen]),
                    agent: anne
                )
            }
            #expect(try await !store.refresh(image).flags(of: UID(rawValue: 1)).isSeen)
            let known = try #require(Keyword("TAG127"))
            try await fixture.deliver(
                message("tagged too"),
                to: [DeliveryTarget(account: anne, flags: [.keyword(known)])]
            )
            #expect(try await store.check() == [])
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `an account that is removed leaves nothing visible, and a new one starts afresh`(
        engine: TestEngine
    ) async throws {
        try await withStore(engine) { fixture in
            let store = fixture.store
            try await fixture.deliver(message("old"))
            let image = try await store.open("INBOX", in: anne, by: anne)
            try await store.removeAccount(anne)
            #expect(image.isRemoved)
            await #expect(throws: StoreError.noSuchMailbox) { try await store.refresh(image) }
            #expect(try await store.list(of: anne, by: anne).mailboxes.isEmpty)
            #expect(try await store.usage(of: anne) == QuotaUsage(bytes: 0, messages: 0))
            try await fixture.deliver(message("new"))
            let again = try await store.open("INBOX", in: anne, by: anne)
            #expect(again.id != image.id)
            #expect(again.snapshot.count == 1)
            #expect(again.snapshot.uidValidity != image.snapshot.uidValidity)
            #expect(try await store.check() == [])
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `flags left as they are take no mod-sequence`(engine: TestEngine) async throws {
        try await withStore(engine) { fixture in
            let store = fixture.store
            try await fixture.deliver(message("one"))
            let image = try await store.open("INBOX", in: anne, by: anne)
            let seen = FlagChange.add([.seen])
            let uids = UIDSet(1...5)
            let first = try await store.changeFlags(of: uids, in: image, by: seen, agent: anne)
            #expect(first.changed == UIDSet(1...1))
            let second = try await store.changeFlags(of: uids, in: image, by: seen, agent: anne)
            #expect(second.changed.isEmpty)
            #expect(second.snapshot.highestModSeq == first.snapshot.highestModSeq)
        }
    }
}
