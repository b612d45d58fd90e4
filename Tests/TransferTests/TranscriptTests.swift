import TestRig
import Testing
import Transfer

@Suite("Doors over sockets", .serialized)
struct DoorTranscriptTests {
    /// What the conversation says in memory, the door says over TCP; what a login decides is played
    /// on the submission door.
    @Test(
        arguments: try Transcript.all(in: "smtp").filter {
            !$0.givens.contains { $0.hasPrefix("auth") }
        },
        Segmentation.allCases
    )
    func smtp(_ transcript: Transcript, _ segmentation: Segmentation) async throws {
        try await DoorPeer.play(transcript, segmentation, at: .mx)
    }

    @Test(arguments: try Transcript.all(in: "mx"), Segmentation.allCases)
    func mx(_ transcript: Transcript, _ segmentation: Segmentation) async throws {
        try await DoorPeer.play(transcript, segmentation, at: .mx)
    }

    @Test(arguments: try Transcript.all(in: "submission"), Segmentation.allCases)
    func submission(_ transcript: Transcript, _ segmentation: Segmentation) async throws {
        try await DoorPeer.play(transcript, segmentation, at: .submission)
    }

    @Test(
        arguments: try Transcript.all(in: "lmtp") + Transcript.all(in: "lmtp-door"),
        Segmentation.allCases
    )
    func lmtp(_ transcript: Transcript, _ segmentation: Segmentation) async throws {
        try await DoorPeer.play(transcript, segmentation, at: .lmtp)
    }

    /// What ends in a transaction, on the other engine as well.
    @Test(
        arguments: try
            (Transcript.all(in: "mx") + Transcript.all(in: "submission")
            + Transcript.all(in: "lmtp-door")).filter { transcript in
                [
                    "delivery", "several-recipients", "quota-race", "success-notification",
                    "success-notification-abroad", "local-and-remote", "over-quota",
                    "database-away", "directory-away",
                ].contains { transcript.name.contains("/\($0).") }
            }
    )
    func postgreSQL(_ transcript: Transcript) async throws {
        let role: DoorRole =
            transcript.name.hasPrefix("mx/")
            ? .mx : transcript.name.hasPrefix("submission/") ? .submission : .lmtp
        try await DoorPeer.play(transcript, .whole, at: role, on: .postgreSQL)
    }
}
