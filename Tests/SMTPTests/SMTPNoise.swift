import SMTP

/// Talks at a conversation in half-sense, from a seed.
struct SMTPNoise {
    struct Outcome {
        var largestBuffer = 0
        var allowedBuffer = 0
        var badReply: String?
    }

    private var state: UInt64
    private static let words = [
        "EHLO a\r\n", "HELO a\r\n", "MAIL FROM:<>\r\n",
        "MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n",
        "RCPT TO:<a@b.example>\r\n", "RCPT TO:<\"\\\r\n", "DATA\r\n", ".\r\n", "\r\n.\r\n", "\n.\n",
        "BDAT 5 LAST\r\n", "BDAT 30\r\n", "BDAT 0\r\n", "RSET\r\n", "AUTH PLAIN\r\n", "*\r\n",
        "AUTH LOGIN AAAA\r\n", "STARTTLS\r\n", "\r", "\n", "x", "\0", "VRFY a\r\n", "QUIT \r\n",
        "MAIL FROM:<a@b.example> SIZE=5000\r\n", "HELP\r\n", "NOOP\r\n", "é",
    ]

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    private mutating func random(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }

    mutating func run() -> Outcome {
        let limits = ConversationLimits(
            messageSize: 500,
            discardedOctets: 2000,
            commandLine: 200,
            recipients: 3,
            errors: 50,
            idleCommands: 100
        )
        var conversation = ServerConversation(
            random(2) == 0 ? .smtp : .lmtp,
            hostName: "mx.example.org",
            limits: limits,
            offer: Offer(
                startTLS: true,
                mechanisms: ["PLAIN", "LOGIN"],
                allowsCleartextAuthentication: true
            ),
            isSecure: false
        )
        conversation.greet()
        if random(2) == 0 { conversation.receive(Array("LHLO a\r\n".utf8)) }
        var outcome = Outcome()
        let longestChunk = 600
        outcome.allowedBuffer = limits.messageSize + limits.authenticationLine + longestChunk
        for _ in 0..<300 {
            var bytes: [UInt8] = []
            for _ in 0..<random(8) { bytes += Array(Self.words[random(Self.words.count)].utf8) }
            if random(10) == 0 { bytes += [UInt8](repeating: 97, count: random(300)) }
            conversation.receive(bytes)
            while let request = conversation.next() {
                if request == .close { return outcome }
                answer(request, &conversation)
            }
            check(conversation.takeOutput(), &outcome)
            outcome.largestBuffer = max(outcome.largestBuffer, conversation.bufferedOctets)
        }
        return outcome
    }

    private mutating func answer(_ request: Request, _ conversation: inout ServerConversation) {
        switch request {
        case .mail, .rcpt:
            if random(4) == 0 {
                conversation.refuse(Reply(.mailboxUnavailable, .badMailbox, "No"))
            } else {
                conversation.accept(Reply(.ok, .other, "OK"))
            }
        case .bodyBegins:
            if random(4) == 0 {
                conversation.refuse(Reply(.insufficientStorage, .systemFull, "Full"))
            } else {
                conversation.acceptBody()
            }
        case .message: conversation.finish(Reply(.ok, .other, "OK"))
        case .authenticate, .authenticationResponse:
            switch random(3) {
            case 0: conversation.challenge([1, 2, 3])
            case 1: conversation.authenticated()
            default: conversation.authenticationFailed(.credentialsInvalid)
            }
        case .startTLS: conversation.tlsStarted()
        case .messageRefused, .close: break
        }
    }

    /// Each line: three digits, a space or hyphen, printable ASCII, CR LF.
    private func check(_ output: [UInt8], _ outcome: inout Outcome) {
        var rest = output[...]
        while !rest.isEmpty {
            guard let end = rest.firstIndex(of: 10), end > rest.startIndex, rest[end - 1] == 13
            else {
                outcome.badReply = String(decoding: rest, as: UTF8.self)
                return
            }
            let line = rest[rest.startIndex..<(end - 1)]
            let code = line.prefix(3)
            let isGood =
                code.count == 3 && code.allSatisfy { (0x30...0x39).contains($0) }
                && line.dropFirst(3).first.map { $0 == 0x20 || $0 == 0x2D } == true
                && line.allSatisfy { (0x20...0x7E).contains($0) } && line.count <= 510
            if !isGood { outcome.badReply = String(decoding: line, as: UTF8.self) }
            rest = rest[(end + 1)...]
        }
    }
}
