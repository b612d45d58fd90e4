import TestRig
import Testing

@Suite("Transcript player")
struct TranscriptTests {
    /// Answers each line with its echo, numbered; "hello" first; closes at "bye".
    private actor Echo: TranscriptPeer {
        var waiting: [Int: [UInt8]] = [:]
        var partial: [Int: [UInt8]] = [:]
        var sends = 0
        var isClosed = false

        func send(_ bytes: [UInt8], on number: Int) {
            sends += 1
            partial[number, default: []] += bytes
            while let end = partial[number]?.firstIndex(of: 0x0A) {
                let line = Array(partial[number, default: []][...end])
                partial[number]?.removeFirst(end + 1)
                waiting[number, default: []] += Array("\(number) ".utf8) + line
                if line.starts(with: Array("bye".utf8)) { isClosed = true }
            }
        }

        func receive(on number: Int) -> [UInt8]? {
            guard let bytes = waiting[number], !bytes.isEmpty else { return isClosed ? nil : [] }
            waiting[number] = []
            return bytes
        }

        func perform(_ verb: String, on number: Int) { waiting[number] = Array("\(verb)\r\n".utf8) }

        func check(_ fact: String) throws {
            if fact != "true" { throw TranscriptError.empty(fact) }
        }
    }

    private func play(_ text: String, _ segmentation: Segmentation = .whole) async throws -> Echo {
        let peer = Echo()
        try await Transcript(parsing: text, name: "test").play(against: peer, segmentation)
        return peer
    }

    private static let dialogue = """
        # RFC 5321 §4.1.1.9: an echo.
        given nothing
        C: one
        C: two\\c
        C: three \\x41\\{bc*2}
        S: 1 one
        S~ 1 two$word A.*
        C: $word $$
        2C: other
        2S: 2 other
        S: 1 $word $$
        C: a
        C: b
        C: c
        S? 1 b
        S? 1 a
        S* 1 c
        C! wave
        S: wave
        C: bye
        S* 1 bye
        S! closed
        then true
        """

    @Test(arguments: Segmentation.allCases)
    func playsEveryKindOfLine(_ segmentation: Segmentation) async throws {
        let peer = try await play(Self.dialogue, segmentation)
        let sends = await peer.sends
        #expect(segmentation == .byByte ? sends > 40 : sends < 12)
    }

    @Test(arguments: [
        "# x\nC: one\nS: 1 two", "# x\nC: one\nS~ 1 tw.", "# x\nC: one\nC: two\nS: 1 one",
        "# x\nC: one\nS: 1 one\nthen false", "# x\nC: bye\nS: 1 bye\nS: more",
        "# x\nC: one\nS? 1 a\nS? 1 b", "# x\nC: bye\nC: more\nS! closed",
        "# x\nC: a b\nS~ 1 $x b\nC: c\nS~ 1 $x",
    ])
    func failsWhereTheServerDiffers(_ text: String) async {
        await #expect(throws: (any Error).self) { _ = try await play(text) }
    }

    @Test(arguments: [
        "C: one", "# x\nwhat", "# x\nC: \\q", "# x\nC: $", "# x\nC: a\ngiven b", "# x\nS! open",
    ])
    func refusesWhatIsNoTranscript(_ text: String) {
        #expect(throws: TranscriptError.self) { try Transcript(parsing: text, name: "test") }
    }
}
