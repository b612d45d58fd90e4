import Blobs
import Database
import Glibc
import Mail
import Store
import Synchronization
import TestRig
import Testing

@Suite struct UpkeepTests {
    @Test(arguments: TestEngine.allCases)
    func `what is expunged stays until the purge, then goes with its body`(
        engine: TestEngine
    ) async throws {
        try await withStore(engine) { fixture in
            let store = fixture.store
            let big = message("big", size: 600_000)
            try await fixture.deliver(message("small"))
            try await fixture.deliver(big)
            let image = try await store.open("INBOX", in: anne, by: anne)
            let all = UIDSet(1...2)
            _ = try await store.copy(UIDSet(1...1), from: image, to: "Sent", in: anne, by: anne)
            try await store.changeFlags(of: all, in: image, by: .add([.deleted]), agent: anne)
            try await store.expunge(in: image, by: anne)
            #expect(image.snapshot.count == 0)
            #expect(try await StoreTests.all(store.bodies(of: all, in: image)).count == 2)

            #expect(try await store.purge(before: Fixture.start).messages == 0)
            fixture.advance(milliseconds: 1_000)
            #expect(try await store.purge(before: Fixture.start + 1).messages == 2)
            #expect(try await StoreTests.all(store.rows(of: all, in: image)).isEmpty)
            #expect(try await store.purge(before: .max).messages == 0)

            let nobody: @Sendable (Reader, BodyID) throws -> Bool = { _, _ in false }
            #expect(try await store.sweepBodies(unless: nobody).bodies == 0)
            fixture.advance(milliseconds: 3_600_000)
            let held = try await store.sweepBodies { _, _ in true }
            #expect(held.bodies == 0)
            #expect(try await store.sweepBodies(.everywhere, unless: nobody).bodies == 0)
            fixture.advance(milliseconds: 3_600_000)
            let swept = try await store.sweepBodies(unless: nobody)
            #expect(swept.bodies == 1)
            #expect(swept.blobs == 1)
            #expect(try await fixture.number("SELECT count(*) FROM body") == 1)
            #expect(try await store.check(bodies: .contents) == [])
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `the purge removes a deleted mailbox in steps, and a later expunge only its own`(
        engine: TestEngine
    ) async throws {
        var limits = Store.Limits()
        limits.purgeRows = 3
        try await withStore(engine, limits: limits) { fixture in
            let store = fixture.store
            try await store.create("Old", in: anne, by: anne)
            for number in 1...10 {
                for name in ["Old", "INBOX"] {
                    try await fixture.deliver(
                        message("m\(number)"),
                        to: [DeliveryTarget(account: anne, mailbox: name)]
                    )
                }
            }
            try await store.delete("Old", in: anne, by: anne)
            let image = try await store.open("INBOX", in: anne, by: anne)
            for (range, removed) in [(1...4, 14), (3...7, 3)] as [(ClosedRange<UInt32>, Int)] {
                let deleted = FlagChange.add([.deleted])
                try await store.changeFlags(
                    of: UIDSet(range),
                    in: image,
                    by: deleted,
                    agent: anne
                )
                try await store.expunge(in: image, by: anne)
                #expect(try await store.purge(before: .max).messages == removed)
                #expect(try await store.check() == [])
            }
            #expect(try await fixture.number("SELECT count(*) FROM message") == 3)
            #expect(try await fixture.number("SELECT count(*) FROM expunge_log") == 0)
            #expect(
                Array(image.snapshot.expunged(since: ModSeq(rawValue: 1))) == Array(1...7)
            )
        }
    }

    /// Each damage, and a word of the finding that must name it.
    @Test(
        arguments: [
            ("UPDATE mailbox SET unseen = unseen + 1 WHERE name = 'INBOX'", "unseen"),
            ("UPDATE mailbox SET messages = 0 WHERE name = 'INBOX'", "messages is 0"),
            ("UPDATE mailbox SET uidnext = 2 WHERE name = 'INBOX'", "out of bounds"),
            ("UPDATE mailbox SET highestmodseq = 1 WHERE name = 'INBOX'", "later than"),
            ("UPDATE store_account SET used_bytes = 1", "usage"),
            ("DELETE FROM message WHERE id % 4294967296 = 2", "no rows for UIDs 2"),
            ("DELETE FROM body WHERE id = 1", "names body 1"),
            ("UPDATE mailbox_state SET id = id + 1", "beyond UIDNEXT"),
            ("UPDATE mailbox_state SET value = envelope FROM message", "decoded"),
            ("DELETE FROM keyword", "unknown keyword"),
            ("DELETE FROM mailbox WHERE name = 'INBOX'", "does not exist"),
            ("UPDATE store_sequence SET value = 0 WHERE name = 'mailbox'", "sequence mailbox"),
            ("UPDATE body SET hash = bytes", "another hash"),
            ("UPDATE body SET bytes = hash", "decompress"),
        ] as [(StaticString, String)]
    )
    func `the check names every damage`(damage: StaticString, word: String) async throws {
        try await withStore(.sqlite) { fixture in
            let keyword = try #require(Keyword("Work"))
            for number in 1...3 {
                try await fixture.deliver(
                    message("number \(number)", size: 500),
                    to: [DeliveryTarget(account: anne, flags: [.seen, .keyword(keyword)])]
                )
            }
            #expect(try await fixture.store.check(bodies: .contents) == [])
            try await fixture.execute(Statement(stringLiteral: "\(damage)"))
            let findings = try await fixture.store.check(bodies: .contents)
            #expect(findings.contains { $0.description.contains(word) }, "\(findings)")
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a full disk under the blobs leaves nothing half`(engine: TestEngine) async throws {
        let isFull = Atomic(false)
        try await withFullDisk(engine, isFull: { isFull.load(ordering: .relaxed) }) { fixture in
            let big = message("big", size: 600_000)
            try await fixture.deliver(message("small"))
            isFull.store(true, ordering: .relaxed)
            await #expect(throws: StoreError.self) { try await fixture.deliver(big) }
            try await fixture.deliver(message("small again"))
            isFull.store(false, ordering: .relaxed)
            try await fixture.deliver(big)
            let image = try await fixture.store.open("INBOX", in: anne, by: anne)
            let bodies = try await StoreTests.all(
                fixture.store.bodies(of: UIDSet(1...3), in: image)
            )
            #expect(bodies.map(\.bytes).last == big)
            #expect(bodies.count == 3)
            #expect(try await fixture.store.check(bodies: .contents) == [])
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a blob that is missing is named as damage, and others are still read`(
        engine: TestEngine
    ) async throws {
        try await withStore(engine) { fixture in
            try await fixture.deliver(message("big", size: 600_000))
            try await fixture.deliver(message("small"))
            TemporaryFolder.remove(fixture.folder + "/blobs")
            let image = try await fixture.store.open("INBOX", in: anne, by: anne)
            await #expect(throws: StoreError.self) {
                try await StoreTests.all(fixture.store.bodies(of: UIDSet(1...1), in: image))
            }
            let other = try await StoreTests.all(
                fixture.store.bodies(of: UIDSet(2...2), in: image)
            )
            #expect(other.count == 1)
            let findings = try await fixture.store.check(bodies: .contents)
            #expect(findings.contains { if case .damagedBody = $0 { true } else { false } })
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a transaction that fails after the delivery leaves nothing of it`(
        engine: TestEngine
    ) async throws {
        struct Refusal: Error {}
        try await withStore(engine) { fixture in
            let store = fixture.store
            try await fixture.deliver(message("first"))
            let image = try await store.open("INBOX", in: anne, by: anne)
            let before = image.snapshot.highestModSeq
            let prepared = try await store.prepare(message("second"))
            await #expect(throws: Refusal.self) {
                try await fixture.database.write(lane: anne.rawValue) { transaction in
                    let target = DeliveryTarget(account: anne, flags: [.seen])
                    _ = try store.deliver(prepared, to: [target], in: transaction)
                    throw Refusal()
                }
            }
            #expect(try await store.refresh(image).highestModSeq == before)
            #expect(try await store.usage(of: anne).messages == 1)
            #expect(try await store.check(bodies: .contents) == [])
            // The same prepared message may be delivered after all.
            try await fixture.database.write(lane: anne.rawValue) { transaction in
                let target = DeliveryTarget(account: anne)
                _ = try store.deliver(prepared, to: [target, target], in: transaction)
            }
            #expect(try await store.refresh(image).count == 3)
            #expect(try await store.check(bodies: .contents) == [])
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `equal large messages share a body, and its beginning can be read alone`(
        engine: TestEngine
    ) async throws {
        try await withStore(engine) { fixture in
            let large = message("large", size: 50_000)
            let huge = message("huge", size: 700_000)
            for bytes in [large, huge, large, huge] { try await fixture.deliver(bytes) }
            #expect(try await fixture.number("SELECT count(*) FROM body") == 2)
            #expect(
                try await fixture.number("SELECT count(*) FROM body WHERE bytes IS NULL") == 1
            )
            let image = try await fixture.store.open("INBOX", in: anne, by: anne)
            let starts = try await StoreTests.all(
                fixture.store.bodies(of: UIDSet(1...4), in: image, length: 1_000)
            )
            #expect(
                starts.map(\.bytes) == [large, huge, large, huge].map { Array($0.prefix(1_000)) }
            )
            #expect(starts.map(\.size) == [large, huge, large, huge].map(\.count))
            let whole = try await StoreTests.all(
                fixture.store.bodies(of: UIDSet([1...1, 4...4]), in: image)
            )
            #expect(whole.map(\.bytes) == [large, huge])
        }
    }
}

/// A store whose blobs meet ENOSPC while `isFull` says so.
private func withFullDisk(
    _ engine: TestEngine,
    isFull: @escaping @Sendable () -> Bool,
    _ body: (Fixture) async throws -> Void
) async throws {
    let writer: FileWriter = { descriptor, bytes in
        if isFull() {
            errno = ENOSPC
            return -1
        }
        return writeToFile(descriptor, bytes)
    }
    try await withStore(engine, writer: writer, body)
}
