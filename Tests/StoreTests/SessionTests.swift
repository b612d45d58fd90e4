import Mail
import Store
import Synchronization
import TestRig
import Testing

@Suite struct SessionTests {
    @Test(arguments: TestEngine.allCases)
    func `a watcher is woken after the commit and sees the change without a query`(
        engine: TestEngine
    ) async throws {
        try await withStore(engine) { fixture in
            let store = fixture.store
            try await fixture.deliver(message("one"))
            let image = try await store.open("INBOX", in: anne, by: anne)
            let seen = Mutex<[UInt32]>([])
            let watch = store.feed.watch(image.id) {
                let uidNext = image.snapshot.uidNext
                seen.withLock { $0.append(uidNext) }
            }
            try await fixture.deliver(message("two"))
            #expect(seen.withLock { $0 } == [3])
            #expect(image.snapshot.count == 2)
            watch.cancel()
            try await fixture.deliver(message("three"))
            #expect(seen.withLock { $0 } == [3])
            #expect(image.snapshot.count == 3)
        }
    }

    @Test func `another node learns of changes through the database`() async throws {
        try await withStore(.postgreSQL) { fixture in
            try await fixture.deliver(message("one"))
            let (store, database) = try await fixture.otherNode()
            let image = try await store.open("INBOX", in: anne, by: anne)
            try await withThrowingTaskGroup { group in
                group.addTask { await store.followOtherNodes() }
                let (woken, wake) = AsyncStream.makeStream(of: Void.self)
                let watch = store.feed.watch(image.id) { wake.yield() }
                var deliveries = 0
                while try await store.refresh(image).count < 2 {
                    // The first may come before the other node listens.
                    try await fixture.deliver(message("again"))
                    deliveries += 1
                    try #require(deliveries < 100)
                    try await Task.sleep(for: .milliseconds(20))
                }
                let known = image.snapshot
                try await fixture.deliver(message("later"))
                for await _ in woken where try await store.refresh(image).uidNext > known.uidNext {
                    break
                }
                watch.cancel()
                try await database.close()
                group.cancelAll()
            }
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `one image serves all sessions of a process, one mailbox at a time`(
        engine: TestEngine
    ) async throws {
        try await withStore(engine) { fixture in
            try await fixture.deliver(message("one"))
            let first = try await fixture.store.open("INBOX", in: anne, by: anne)
            let second = try await fixture.store.open("INBOX", in: anne, by: anne)
            #expect(first === second)
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a hundred thousand messages open as a hundred chunks and scan in bounded batches`(
        engine: TestEngine
    ) async throws {
        try await withStore(engine) { fixture in
            let store = fixture.store
            let count: UInt32 = 100_000
            try await fixture.deliver(message("template"))
            let image = try await store.open("INBOX", in: anne, by: anne)
            // Doubling by COPY into the same mailbox.
            while image.snapshot.uidNext <= count {
                let missing = count - (image.snapshot.uidNext - 1)
                let uids = UIDSet(1...min(missing, image.snapshot.uidNext - 1))
                _ = try await store.copy(uids, from: image, to: "INBOX", in: anne, by: anne)
                try await store.refresh(image)
            }
            #expect(try await fixture.number("SELECT count(*) FROM mailbox_state") == 0)
            let all = UIDSet(1...count)
            let odd = UIDSet((0..<count / 2).map { ($0 * 2 + 1)...($0 * 2 + 1) })
            try await store.changeFlags(of: all, in: image, by: .add([.seen]), agent: anne)
            try await store.changeFlags(of: odd, in: image, by: .add([.deleted]), agent: anne)
            #expect(try await fixture.number("SELECT count(*) FROM mailbox_state") == 98)
            let stateBytes = try await fixture.number(
                "SELECT sum(length(value)) FROM mailbox_state"
            )
            #expect(stateBytes < 98 * 8_000)
            #expect(try await store.expunge(in: image, by: anne).count == Int(count / 2))

            let fresh = try await fixture.another()
            let opened = try await fresh.open("INBOX", in: anne, by: anne)
            #expect(opened.snapshot.count == Int(count / 2))
            #expect(opened.snapshot.uid(at: 50_000) == UID(rawValue: count))
            var scan = fresh.rows(of: opened.snapshot.uids, in: opened, columns: .envelope)
            var rows = 0
            while let batch = try await scan.next() {
                #expect(batch.rows.count <= Store.Limits().batchRows)
                #expect(batch.bytes.count < Store.Limits().batchBytes * 2)
                rows += batch.rows.count
            }
            #expect(rows == Int(count / 2))
            #expect(try await store.check() == [])
        }
    }
}
