import IMAP
import Mail
import Net
import Store
import Testing

@testable import Access

/// What clients are told when something behind the door fails.
@Suite struct FaultTests {
    @Test func `A database that is away is said to be unavailable, and the session goes on`()
        async throws
    {
        try await IMAPRig.with { rig in
            try await rig.deliver(IMAPRig.plain(1))
            let client = try await LineClient(rig.endpoint)
            try await client.logIn()
            _ = try await client.run("SELECT INBOX")
            try await rig.database.close()
            for command in [
                "SELECT Drafts", "LIST \"\" *", "STATUS INBOX (MESSAGES)", "CREATE x",
                "GETQUOTAROOT INBOX",
            ] {
                let failed = await #expect(throws: LineClient.Failed.self) {
                    try await client.run(command)
                }
                #expect(failed?.line.contains(" NO [UNAVAILABLE] ") == true, "\(command)")
            }
            _ = try await client.run("NOOP")
            await client.close()
        }
    }

    @Test func `No answer of the store lets its own words out`() {
        let secret = "/var/lib/relais is full: INSERT INTO mailbox"
        let errors: [StoreError] = [
            .noSuchMailbox, .mailboxExists, .invalidName, .inboxStays, .tooManyMailboxes,
            .tooManyKeywords, .uidsExhausted, .overQuota(AccountID(rawValue: 7)),
            .damaged(secret), .unavailable(secret), .failed(secret),
        ]
        for error in errors {
            let refusal = Refusal(error)
            #expect(refusal.condition == .no)
            #expect(refusal.code != nil)
            #expect(!refusal.text.contains("relais"))
        }
        #expect(Refusal(target: .noSuchMailbox).code == .tryCreate)
        #expect(Refusal(target: .overQuota(AccountID(rawValue: 1))).code == .overQuota)
    }
}
