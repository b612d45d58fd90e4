import SMTP
import TestRig
import Testing

@Suite("SMTP and LMTP conversations")
struct ConversationTranscriptTests {
    /// The server says the S: lines of each dialogue in Tests/Transcripts/smtp, however TCP cuts.
    @Test(arguments: try Transcript.all(in: "smtp"), Segmentation.allCases)
    func smtp(_ transcript: Transcript, _ segmentation: Segmentation) async throws {
        let door = try ToyDoor(.smtp, givens: transcript.givens)
        try await transcript.play(against: door, segmentation)
    }

    @Test(arguments: try Transcript.all(in: "lmtp"), Segmentation.allCases)
    func lmtp(_ transcript: Transcript, _ segmentation: Segmentation) async throws {
        let door = try ToyDoor(.lmtp, givens: transcript.givens)
        try await transcript.play(against: door, segmentation)
    }
}
