import Foundation
import Mail
import Store
import TestRig
import Testing

@Suite struct BodyTests {
    /// Text, an attachment in base64, and again text; small enough for the database, or not.
    @Test(arguments: TestEngine.allCases, [3_000, 60_000, 900_000])
    func `a message with an attachment comes back whole and by its beginning`(
        engine: TestEngine,
        size: Int
    ) async throws {
        var random = RandomNumbers(seed: UInt64(size))
        let attachment = Data((0..<size).map { _ in UInt8.random(in: 0...255, using: &random) })
        let encoded = attachment.base64EncodedString(
            options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed]
        )
        let bytes =
            message("with attachment", size: 2_000) + Array("\(encoded)\r\n--x--\r\n".utf8)
        try await withStore(engine) { fixture in
            try await fixture.deliver(bytes)
            let stored = try await fixture.number("SELECT stored FROM body")
            #expect(stored < size + 2_500)
            let image = try await fixture.store.open("INBOX", in: anne, by: anne)
            for length in [0, 1, 700, 2_100, 2_600, size, bytes.count, .max] {
                let scan = fixture.store.bodies(of: UIDSet(1...1), in: image, length: length)
                let bodies = try await all(scan)
                #expect(bodies.map(\.bytes) == [Array(bytes.prefix(length))])
            }
            #expect(try await fixture.store.check(bodies: .contents) == [])
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `batches are bounded, and every body comes once and in order`(
        engine: TestEngine
    ) async throws {
        var limits = Store.Limits()
        limits.batchBytes = 20_000
        try await withStore(engine, limits: limits) { fixture in
            for number in 0..<150 {
                try await fixture.deliver(message("m\(number)", size: number % 7 * 3_000))
            }
            let image = try await fixture.store.open("INBOX", in: anne, by: anne)
            let wanted = UIDSet([1...90, 95...95, 100...150])
            var scan = fixture.store.bodies(of: wanted, in: image)
            var uids: [UInt32] = []
            while let batch = try await scan.next() {
                #expect(batch.dropLast().reduce(0) { $0 + $1.bytes.count } < limits.batchBytes)
                uids += batch.map(\.uid.rawValue)
            }
            #expect(uids == Array(wanted))
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a body kept in another form is not shared, and its blob stays as it was`(
        engine: TestEngine
    ) async throws {
        var limits = Store.Limits()
        limits.foldedBytes = 0
        try await withStore(engine, limits: limits) { fixture in
            let line = String(repeating: "QUJDRA", count: 12) + "QUJD\r\n"
            let bytes =
                message("large", size: 900_000)
                + Array(
                    String(repeating: line, count: 400).utf8
                )
            try await fixture.deliver(bytes)
            let newer = try await fixture.another()
            let prepared = try await newer.prepare(bytes)
            try await fixture.database.write(lane: anne.rawValue) { transaction in
                let target = DeliveryTarget(account: anne)
                _ = try newer.deliver(prepared, to: [target], in: transaction)
            }
            #expect(try await fixture.number("SELECT count(*) FROM body") == 2)
            #expect(try await fixture.number("SELECT count(DISTINCT codec) FROM body") == 2)
            #expect(try await fixture.store.check(bodies: .contents) == [])
        }
    }
}
