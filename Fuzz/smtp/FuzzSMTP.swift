import SMTP

// The oracle: nothing traps; replies are well formed; what is held stays under the limits; a message
// of lines has no CR or LF of its own; and how TCP cuts the input changes nothing. The first octet
// chooses the door, the second where the input is cut.

typealias One = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ argc: UnsafeMutablePointer<CInt>,
    _ argv: UnsafeMutableRawPointer,
    _ one: One
) -> CInt

@_cdecl("LLVMFuzzerTestOneInput")
public func one(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard input.count > 2 else { return 0 }
    let mode = input[0]
    let talk = Array(input.dropFirst(2))
    let whole = converse(talk, mode, piece: talk.count)
    let pieces = converse(talk, mode, piece: Int(input[1]) + 1)
    // STARTTLS looks at what came in the same breath: there, the cut matters.
    if mode & 1 == 0 {
        precondition(whole.output == pieces.output, "the cut changes the replies")
        precondition(whole.messages == pieces.messages, "the cut changes the messages")
    }
    return 0
}

struct Outcome {
    var output: [UInt8] = []
    var messages: [[UInt8]] = []
}

func converse(_ talk: [UInt8], _ mode: UInt8, piece: Int) -> Outcome {
    let limits = ConversationLimits(
        messageSize: 300,
        discardedOctets: 400,
        commandLine: 200,
        authenticationLine: 300,
        textLine: 100,
        recipients: 3,
        errors: 30,
        refusedRecipients: 10,
        idleCommands: 30
    )
    var conversation = ServerConversation(
        mode & 2 == 0 ? .smtp : .lmtp,
        hostName: "mx.example.org",
        limits: limits,
        offer: Offer(
            startTLS: mode & 1 != 0,
            mechanisms: mode & 4 == 0 ? [] : ["PLAIN", "LOGIN"],
            allowsCleartextAuthentication: mode & 8 == 0
        ),
        isSecure: mode & 16 != 0
    )
    var outcome = Outcome()
    var turn = mode
    conversation.greet()
    var start = 0
    while start < talk.count {
        conversation.receive(Array(talk[start..<min(start + piece, talk.count)]))
        start += piece
        while let request = conversation.next() {
            if case .close = request {
                outcome.output += checked(conversation.takeOutput())
                return outcome
            }
            turn = turn &* 5 &+ 1
            answer(request, turn >> 4, &conversation, &outcome)
        }
        outcome.output += checked(conversation.takeOutput())
        let allowed =
            limits.messageSize + max(limits.commandLine, limits.authenticationLine) + piece + 1
        precondition(conversation.bufferedOctets <= allowed, "too much is held")
    }
    return outcome
}

func answer(
    _ request: Request,
    _ chance: UInt8,
    _ conversation: inout ServerConversation,
    _ outcome: inout Outcome
) {
    switch request {
    case .mail, .rcpt:
        if chance & 7 == 0 {
            conversation.refuse(Reply(.mailboxUnavailable, .badMailbox, "No"))
        } else {
            conversation.accept(Reply(.ok, .other, "OK"))
        }
    case .bodyBegins:
        if chance & 7 == 0 {
            conversation.refuse(Reply(.insufficientStorage, .systemFull, "Full"))
        } else {
            conversation.acceptBody(prefix: [])
        }
    case .message(let message):
        precondition(message.bytes.count == message.size, "size")
        precondition(message.size <= 300, "over the limit")
        if message.body != .binaryMIME { precondition(isLines(message.bytes), "not lines") }
        outcome.messages.append(message.bytes)
        conversation.finish(Reply(.ok, .other, "OK"))
    case .authenticate, .authenticationResponse:
        switch chance & 3 {
        case 0, 1: conversation.challenge([chance])
        case 2: conversation.authenticated()
        default: conversation.authenticationFailed(.credentialsInvalid)
        }
    case .startTLS: conversation.tlsStarted()
    case .messageRefused(let reply): precondition(reply.isNegative, "refused with a promise")
    case .close: break
    }
}

/// No CR without LF, no LF without CR, no NUL.
func isLines(_ bytes: [UInt8]) -> Bool {
    var last: UInt8 = 0
    for byte in bytes {
        if byte == 0 || (byte == 10) != (last == 13) { return false }
        last = byte
    }
    return last != 13
}

/// Each line: three digits, a space or a hyphen, printable ASCII, CR LF; at most 512 octets.
func checked(_ output: [UInt8]) -> [UInt8] {
    var rest = output[...]
    while let end = rest.firstIndex(of: 10) {
        let line = rest[...end]
        precondition(line.count >= 6 && line.count <= 512, "length of a reply")
        precondition(line[end - 1] == 13, "a reply without CR")
        precondition(line.prefix(3).allSatisfy { (0x30...0x39).contains($0) }, "no code")
        let separator = line[line.startIndex + 3]
        precondition(separator == 0x20 || separator == 0x2D, "no separator")
        precondition(line.dropLast(2).allSatisfy { (0x20...0x7E).contains($0) }, "unprintable")
        rest = rest[(end + 1)...]
    }
    precondition(rest.isEmpty, "a reply without its end")
    return output
}

@_cdecl("fuzz_smtp_main")
public func entry(_ argc: CInt, _ argv: UnsafeMutableRawPointer) -> CInt {
    var count = argc
    var arguments = argv
    return withUnsafeMutablePointer(to: &arguments) {
        runDriver(&count, UnsafeMutableRawPointer($0), one)
    }
}
