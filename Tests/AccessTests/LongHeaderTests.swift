import Net
import Testing

@testable import Access

/// Headers and bodies longer than what is read at first.
@Suite struct LongHeaderTests {
    @Test func `A field beyond the first 64 KiB is found and fetched`() async throws {
        try await IMAPRig.with { rig in
            let filler = (0..<1_500).map {
                "X-Filler-\($0): \(String(repeating: "x", count: 60))\r\n"
            }
            let message =
                "Subject: near\r\n" + filler.joined() + "X-Far: found here\r\n\r\n"
                + String(repeating: "body line\r\n", count: 30_000)
            try await rig.deliver(message)
            let client = try await LineClient(rig.endpoint)
            try await client.logIn()
            _ = try await client.run("SELECT INBOX")
            #expect(try await client.run("SEARCH HEADER X-Far found").first == "* SEARCH 1")
            #expect(try await client.run("SEARCH HEADER X-Far lost").first == "* SEARCH")
            let fetched = try await client.run("FETCH 1 BODY.PEEK[HEADER.FIELDS (X-Far)]")
            #expect(fetched[1] == "X-Far: found here")
            let both = try await client.run(
                "FETCH 1 (BODY.PEEK[HEADER.FIELDS (X-Far)] BODY.PEEK[]<9.4> RFC822.SIZE)"
            )
            #expect(both[1] == "X-Far: found here")
            #expect(both[3] == " BODY[]<9> {4}" && both[4].hasPrefix("near RFC822.SIZE"))
            let whole = try await client.run("FETCH 1 BODY.PEEK[]")
            #expect(whole[0] == "* 1 FETCH (BODY[] {\(message.utf8.count)}")
            #expect(whole.count { $0 == "body line" } == 30_000)
            await client.close()
        }
    }
}
