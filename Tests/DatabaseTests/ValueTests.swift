import Database
import TestRig
import Testing

@Suite("Values and rows")
struct ValueTests {
    private static let insert: Statement =
        "INSERT INTO sample (number, text, bytes) VALUES ($1, $2, $3) RETURNING id"
    private static let select: Statement =
        "SELECT number, text, bytes FROM sample WHERE id = $1"

    static let samples: [(SQLValue, SQLValue, SQLValue)] = [
        (nil, nil, nil),
        (.integer(.min), "", .blob([])),
        (.integer(.max), "é日本語🙂 ' \" \\ $1 ?1", .blob([0, 1, 0, 255])),
        (-1, "a\nb\r\n\u{1}\u{7F}", .blob([UInt8](repeating: 7, count: 3_000_000)[...])),
    ]

    @Test(arguments: TestEngine.allCases, samples.indices)
    func `what is written is read back`(_ engine: TestEngine, _ index: Int) async throws {
        let (number, text, bytes) = Self.samples[index]
        try await withDatabase(engine) { database in
            let id = try await database.write { tx in
                try tx.first(Self.insert, number, text, bytes) { $0.int(0) } ?? 0
            }
            let found = try await database.read { reader in
                try reader.first(Self.select, id) { row in
                    [
                        row.intOrNil(0)?.sqlValue ?? .null, row.textOrNil(1)?.sqlValue ?? .null,
                        row.bytesOrNil(2)?.sqlValue ?? .null,
                    ]
                }
            }
            #expect(found == [number, text, bytes])
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `placeholders count by number, not by appearance`(_ engine: TestEngine) async throws {
        try await withDatabase(engine) { database in
            let found = try await database.read { reader in
                try reader.first(
                    "SELECT '$1', CAST($2 AS BIGINT), CAST($1 AS BIGINT), CAST($2 AS BIGINT) + 1",
                    10,
                    20
                ) { "\($0.text(0)) \($0.int(1)) \($0.int(2)) \($0.int(3))" }
            }
            #expect(found == "$1 20 10 21")
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `counts, sums and truth values read as integers`(_ engine: TestEngine) async throws {
        try await withDatabase(engine) { database in
            try await database.write { tx in
                for (key, value) in [(1, 9_999), (2, 100_000_000), (3, -5)] {
                    try tx.submit(insertPair, key, value)
                }
            }
            let found = try await database.read { reader in
                try reader.first(
                    "SELECT count(*), sum(value), sum(value) - sum(value), -sum(value), 1 < 2 FROM pair"
                ) { row in (0..<5).map { row.int($0) } }
            }
            #expect(found == [3, 100_009_994, 0, -100_009_994, 1])
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `text with U+0000 is refused on both engines`(_ engine: TestEngine) async throws {
        try await withDatabase(engine) { database in
            await #expect(throws: DatabaseError.failed("text holds U+0000")) {
                try await database.write { tx in
                    try tx.execute("INSERT INTO sample (text) VALUES ($1)", "a\0b")
                }
            }
            try await database.write { tx in try tx.execute(insertPair, 1, 1) }
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a scan passes many rows and stops for an error`(_ engine: TestEngine) async throws {
        struct Enough: Error {}
        try await withDatabase(engine) { database in
            try await database.write { tx in
                for key in 0..<5_000 { try tx.submit(insertPair, key, key * 2) }
            }
            let sum = try await database.read { reader in
                var sum: Int64 = 0
                try reader.scan("SELECT value FROM pair") { sum += $0.int(0) }
                return sum
            }
            #expect(sum == 24_995_000)
            await #expect(throws: Enough.self) {
                try await database.read { reader in
                    var rows = 0
                    try reader.scan("SELECT value FROM pair") { _ in
                        rows += 1
                        if rows == 10 { throw Enough() }
                    }
                }
            }
            let keys = try await database.keys()
            #expect(keys.count == 5_000)
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a query may run inside another, even the same`(_ engine: TestEngine) async throws {
        try await withDatabase(engine) { database in
            try await database.write { tx in
                for key in 0..<3 { try tx.submit(insertPair, key, key) }
            }
            let pairs = try await database.read { reader in
                var pairs: [Int64] = []
                try reader.query(pairKeys) { outer in
                    let key = outer.int(0)
                    try reader.query(pairKeys) { pairs.append(key * 10 + $0.int(0)) }
                }
                return pairs
            }
            #expect(pairs == [0, 1, 2, 10, 11, 12, 20, 21, 22])
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a wrong statement fails and the connection goes on`(_ engine: TestEngine) async throws {
        try await withDatabase(engine) { database in
            for _ in 0..<10 {
                await #expect(throws: DatabaseError.self) {
                    try await database.read {
                        try $0.first("SELECT nothing FROM nowhere") { $0.int(0) }
                    }
                }
            }
            let keys = try await database.keys()
            #expect(keys.isEmpty)
        }
    }

    @Test
    func `SQLite flushes every commit and has pages of 8 KiB`() async throws {
        try await withDatabase(.sqlite) { database in
            let pragmas = try await database.write { tx in
                [
                    try tx.first("PRAGMA synchronous") { $0.int(0) },
                    try tx.first("PRAGMA page_size") { $0.int(0) },
                ]
            }
            #expect(pragmas == [2, 8_192])
        }
    }

    @Test
    func `PostgreSQL flushes every commit even where the role says otherwise`() async throws {
        let temporary = try TemporaryDatabase(.postgreSQL)
        let url = temporary.url + "&options=-csynchronous_commit%3Doff"
        let database = try await Database.open(url, log: quiet)
        let level = try await database.write { tx in
            try tx.first("SELECT current_setting('synchronous_commit')") { $0.text(0) }
        }
        #expect(level == "on")
        try await database.close()
    }
}
