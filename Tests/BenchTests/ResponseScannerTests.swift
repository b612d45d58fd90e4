import Testing

@testable import Bench

@Suite("Cutting an IMAP server's output")
struct ResponseScannerTests {
    static let output = """
        * 3 EXISTS\r
        * 1 FETCH (UID 1 BODY[] {29}\r
        a1 OK this is not the end\r
        \r
         FLAGS (\\Seen))\r
        * 2 FETCH (FLAGS ())\r
        * 3 FETCH (BODY[1] ~{4}\r
        {9}\r BODY[2] "x {3}")\r
        * LIST () "/" {5}\r
        nam\r
        \r
        * SEARCH 1 2 3\r
        + idling\r
        a1 OK done {really\r

        """

    static let lines = [
        "* 3 EXISTS", "* LIST () \"/\" {5}", "* SEARCH 1 2 3", "+ idling", "a1 OK done {really",
    ]

    /// The lines that come out when the output arrives in chunks of `size` bytes.
    private func scan(chunks size: Int) -> (lines: [String], scanner: ResponseScanner) {
        let bytes = Array(Self.output.utf8)
        var scanner = ResponseScanner()
        var lines: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { chunk in
                var position = 0
                while let line = scanner.next(in: chunk, from: &position) {
                    lines.append(String(decoding: line, as: UTF8.self))
                }
            }
        }
        return (lines, scanner)
    }

    @Test("However it arrives, it is the same", arguments: [1, 2, 3, 7, 64, 10_000])
    func chunks(size: Int) {
        let (lines, scanner) = scan(chunks: size)
        #expect(lines == Self.lines)
        #expect(scanner.fetches == 3)
        #expect(scanner.literalBytes == 29 + 4 + 5)
    }

    @Test("Counts are read from the responses that carry them")
    func counts() {
        func response(_ lines: [String]) -> IMAPResponse {
            IMAPResponse(
                status: .ok,
                line: Array("a1 OK [CAPABILITY IMAP4rev1 LITERAL+] done".utf8),
                fetches: 0,
                bytes: 0,
                untagged: lines.map { Array($0.utf8) },
                start: .now()
            )
        }
        let first = response(["* FLAGS (\\Seen)", "* 17 EXISTS", "* 0 RECENT"])
        #expect(first.exists == 17)
        #expect(first.statusMessages == nil)
        #expect(first.announces("LITERAL+") && !first.announces("LITERAL"))
        let second = response(["* STATUS INBOX (UIDNEXT 9 MESSAGES 4)"])
        #expect(second.statusMessages == 4)
        #expect(second.exists == nil)
    }

    @Test("Proportional memory and parents are read as the kernel writes them")
    func processes() {
        let rollup =
            "55d-7ff ---p 0 00:00 0 [rollup]\nRss: 9 kB\nPss:    1234 kB\nPss_Dirty: 7 kB\n"
        #expect(ProcessMemory.pss(in: Array(rollup.utf8)) == 1234 * 1024)
        #expect(ProcessMemory.pss(in: Array("Rss: 9 kB\n".utf8)) == nil)
        let process = ProcessMemory.Process(stat: Array("42 (imap (x) y) S 7 42 42 0".utf8))
        #expect(process?.pid == 42)
        #expect(process?.parent == 7)
        #expect(process?.name == "imap (x) y")
        #expect(ProcessMemory.Process(stat: Array("nonsense".utf8)) == nil)
    }
}
