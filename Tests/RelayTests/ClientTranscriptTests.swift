import Mail
import SMTP
import TestRig
import Testing
import Wire

@Suite("SMTP client conversations")
struct ClientTranscriptTests {
    /// The client says the C: lines of each dialogue in Tests/Transcripts/smtp-client, exactly, and
    /// draws the conclusions of its `then` lines, however TCP cuts the server's bytes.
    @Test(arguments: try Transcript.all(in: "smtp-client"), Segmentation.allCases)
    func conversation(_ transcript: Transcript, _ segmentation: Segmentation) throws {
        var player = try ClientPlayer(transcript)
        try player.play(segmentation)
    }

    /// Whatever a server sends, the client ends or waits; it never traps and never hoards.
    @Test(arguments: 0..<200)
    func survivesNoise(seed: UInt64) {
        var random = SplitMix(seed)
        let phrases = [
            "250 OK\r\n", "250-more\r\n", "354 go\r\n", "421 bye\r\n", "550 5.1.1 no\r\n",
            "220 hi\r\n",
            "2", "999 x\r\n", "\r\n", "250", "-", "\u{0}", "250-PIPELINING\r\n250 STARTTLS\r\n",
        ]
        var client = ClientConversation(ClientSettings(hello: "client.example"))
        let envelope = OutgoingEnvelope(reversePath: .null, recipients: [])
        for _ in 0..<200 {
            switch client.next() {
            case .send, .transactionEnded: break
            case .startTLS: client.tlsStarted()
            case .ready: client.begin(envelope, message: [1])
            case .over: return
            case .receive: client.received(Array(phrases[Int(random.next() % 13)].utf8))
            }
        }
    }

    @Test func aReplyWithoutEndIsRefusedAndNotHoarded() {
        var endless = ClientConversation(ClientSettings(hello: "client.example"))
        for _ in 0..<1_000 { endless.received(Array("220-more\r\n".utf8)) }
        guard case .over(let verdict) = endless.next() else {
            Issue.record("still listening")
            return
        }
        #expect(verdict?.kind == .temporary)

        var long = ClientConversation(ClientSettings(hello: "client.example"))
        long.received([UInt8](repeating: 0x32, count: 10_000))
        guard case .over = long.next() else {
            Issue.record("still listening")
            return
        }
    }
}

/// SplitMix64, so that a failure names its seed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Plays a transcript with the roles turned round: the client is the one under test.
struct ClientPlayer {
    private let transcript: Transcript
    private var client: ClientConversation
    private var envelope: OutgoingEnvelope
    private var message: [UInt8] = []
    private var transactionsLeft = 1
    private var said: [UInt8] = []
    private var verdicts: [ClientVerdict] = []
    private var end: ClientVerdict??

    init(_ transcript: Transcript) throws {
        self.transcript = transcript
        var settings = ClientSettings(hello: "client.example")
        envelope = OutgoingEnvelope(
            reversePath: .address(try Self.address("emma@client.example")),
            recipients: []
        )
        for given in transcript.givens {
            let words = given.split(separator: " ", maxSplits: 1).map(String.init)
            let value = words.count > 1 ? words[1] : ""
            switch words.first {
            case "lmtp": settings.dialect = .lmtp
            case "tls": settings.tls = value == "required" ? .required : .none
            case "auth":
                let parts = value.split(separator: " ").map(String.init)
                settings.credentials = .init(login: parts[0], password: parts[1])
            case "from": envelope.reversePath = .null
            case "rcpt": envelope.recipients.append(.init(try Self.address(value)))
            case "notify":
                for index in envelope.recipients.indices {
                    envelope.recipients[index].notify =
                        value == "success" ? .success : [.success, .delay]
                }
            case "orcpt":
                for index in envelope.recipients.indices {
                    envelope.recipients[index].originalRecipient = value
                }
            case "envid": envelope.envelopeID = value
            case "return": envelope.returnContent = .headers
            case "body": envelope.body = value == "8bit" ? .eightBitMIME : .binaryMIME
            case "utf8": envelope.needsSMTPUTF8 = true
            case "line":
                message.append(text: value)
                message.appendCRLF()
            case "transactions": transactionsLeft = Int(value) ?? 1
            default: Issue.record("unknown given \(given)")
            }
        }
        client = ClientConversation(settings)
    }

    private static func address(_ text: String) throws -> EmailAddress {
        try #require(EmailAddress(parsing: text), "\(text)")
    }

    mutating func play(_ segmentation: Segmentation) throws {
        var incoming: [UInt8] = []
        for step in transcript.steps {
            if case .line(let pieces) = step.action {
                incoming += Self.bytes(pieces) + [.cr, .lf]
                if segmentation == .whole { continue }
            }
            if !incoming.isEmpty { feed(incoming, segmentation) }
            incoming = []
            switch step.action {
            case .line: break
            case .send(let pieces, _): expect(Self.bytes(pieces) + [.cr, .lf], step)
            case .closed:
                pump()
                client.ended()
            case .perform(let verb):
                pump()
                #expect(verb == "tls" && client.next() == .startTLS, "line \(step.line)")
                client.tlsStarted()
            case .check(let fact): check(fact, step, segmentation)
            case .anyOrder, .pattern, .skip: Issue.record("line \(step.line) says too little")
            }
        }
        if !incoming.isEmpty { feed(incoming, segmentation) }
        pump()
        #expect(said.isEmpty, "\(transcript.name): said \(String(lossyUTF8: said)) at the end")
    }

    private static func bytes(_ pieces: [TranscriptPiece]) -> [UInt8] {
        pieces.flatMap { piece in
            if case .bytes(let bytes) = piece { return bytes }
            return []
        }
    }

    private mutating func feed(_ bytes: [UInt8], _ segmentation: Segmentation) {
        pump()
        if segmentation == .byByte {
            for byte in bytes { client.received([byte]) }
        } else {
            client.received(bytes)
        }
    }

    /// Lets the client say what it can say now.
    private mutating func pump() {
        while end == nil {
            switch client.next() {
            case .send(let bytes): said += bytes
            case .receive, .startTLS: return
            case .ready:
                if transactionsLeft > 0 {
                    transactionsLeft -= 1
                    client.begin(envelope, message: message)
                } else {
                    client.quit()
                }
            case .transactionEnded(let verdicts): self.verdicts = verdicts
            case .over(let verdict): end = .some(verdict)
            }
        }
    }

    private mutating func expect(_ line: [UInt8], _ step: TranscriptStep) {
        pump()
        let got = said.prefix(line.count)
        #expect(
            Array(got) == line,
            """
            \(transcript.name):\(step.line): expected \(String(lossyUTF8: line)), \
            got \(String(lossyUTF8: said))
            """
        )
        said.removeFirst(min(line.count, said.count))
    }

    private mutating func check(
        _ fact: String,
        _ step: TranscriptStep,
        _ segmentation: Segmentation
    ) {
        pump()
        let place = "\(transcript.name):\(step.line)"
        let words = fact.split(separator: " ", maxSplits: 4).map(String.init)
        switch words.first {
        case "verdict":
            guard let number = Int(words[1]), verdicts.indices.contains(number - 1) else {
                Issue.record("\(place): no such verdict")
                return
            }
            let verdict = verdicts[number - 1]
            #expect("\(verdict.kind)" == words[2], "\(place)")
            #expect("\(verdict.status)" == words[3], "\(place)")
            #expect(verdict.text == words[4], "\(place)")
        case "over":
            guard let end else {
                Issue.record("\(place): the session goes on")
                return
            }
            let shown = end.map { ["over", "\($0.kind)", "\($0.status)"] } ?? ["over"]
            #expect(shown == words, "\(place)")
        case "injected":
            // Cut between the two lines, the second is for `Connection.startTLS` to refuse.
            if segmentation != .byByte { #expect(end != nil, "\(place)") }
        default: Issue.record("\(place): unknown fact")
        }
    }
}
