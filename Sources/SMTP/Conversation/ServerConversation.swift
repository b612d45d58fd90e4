import Wire

/// The server's end of an SMTP or LMTP session, without its socket.
///
/// The door feeds what arrives to `receive`, asks `next` for what it must decide, answers, and sends
/// `takeOutput` when `next` has nothing more: so the replies to a pipelined group leave in one
/// write. Everything that syntax and order alone decide is answered here.
///
///     command ──MAIL, RCPT──▶ waiting ──answer──▶ command
///     command ──DATA──▶ waiting ──acceptBody──▶ data ──end──▶ waiting ──finish──▶ command
///     command ──BDAT──▶ chunk ──last octet──▶ command, or waiting after LAST
///     command ──AUTH──▶ waiting ──challenge──▶ authentication ──line──▶ waiting
///     command ──STARTTLS──▶ waiting ──tlsStarted──▶ command, everything forgotten
///
/// Holds at most one line, one received chunk and one message.
///
/// RFC 5321 §4.1.4, RFC 2920 §3.2, RFC 2033 §4
package struct ServerConversation: Sendable {
    enum Mode {
        case command
        case data(DataDecoder)
        case chunk(remaining: Int, isLast: Bool)
        /// A chunk nobody wants; `reply` goes out when it has passed.
        case discardedChunk(remaining: Int, reply: Reply)
        case authentication
        case closed
    }

    enum Waiting {
        case mail(MailCommand)
        case rcpt
        case data
        case chunk(BdatCommand)
        case message
        case authentication
        case tls
    }

    struct Transaction {
        var mail: MailCommand
        var recipients = 0
        var refused = 0
        var sink: MessageSink?
        var checker = ChunkChecker()
        var hasFailed = false
        /// Why the door no longer wants the message that is coming.
        var abandonment: Reply?
    }

    enum Greeting {
        case none, plain, extended
    }

    let dialect: Dialect
    let hostName: String
    let limits: ConversationLimits
    let offer: Offer

    var mode = Mode.command
    var waiting: Waiting?
    var greeting = Greeting.none
    var transaction: Transaction?
    var input: [UInt8] = []
    var position = 0
    var output: [UInt8] = []
    var isDiscardingLine = false
    var errors = 0
    var refusedRecipients = 0
    var idleCommands = 0

    /// Lines that the client has sent: while it does not grow, the client has not finished one.
    package private(set) var lineCount = 0
    /// The name that the client gave in EHLO, HELO or LHLO.
    package internal(set) var clientName: String?
    package internal(set) var isSecure: Bool
    package internal(set) var isAuthenticated = false

    package init(
        _ dialect: Dialect,
        hostName: String,
        limits: ConversationLimits,
        offer: Offer,
        isSecure: Bool
    ) {
        self.dialect = dialect
        self.hostName = hostName
        self.limits = limits
        self.offer = offer
        self.isSecure = isSecure
    }

    /// True when the client said EHLO or LHLO rather than HELO.
    package var isExtended: Bool { greeting == .extended }

    /// True between MAIL and the reply to the message.
    package var isInTransaction: Bool { transaction != nil }

    /// True while the octets of a message are coming: the door's patience differs.
    package var isReceivingBody: Bool {
        switch mode {
        case .data, .chunk, .discardedChunk: true
        case .command, .authentication, .closed: false
        }
    }

    /// Octets held: input not yet read, output not yet taken, and the message.
    package var bufferedOctets: Int {
        input.count - position + output.count + (transaction?.sink?.bytes.count ?? 0)
    }

    // MARK: Bytes in and out

    /// Puts the greeting into the output.
    ///
    /// RFC 5321 §3.1, §4.3.1
    package mutating func greet() {
        let name = dialect == .smtp ? "ESMTP" : "LMTP"
        Reply(.ready, nil, "\(hostName) \(name)").encode(into: &output)
    }

    /// Takes what the client sent.
    package mutating func receive(_ bytes: [UInt8]) {
        if position == input.count {
            input = bytes
        } else {
            input.removeFirst(position)
            input += bytes
        }
        position = 0
    }

    /// What must be sent to the client before waiting for more.
    package mutating func takeOutput() -> [UInt8] {
        defer { output = [] }
        return output
    }

    /// What the door must decide next; nil when more octets must come first.
    package mutating func next() -> Request? {
        while waiting == nil {
            switch step() {
            case .request(let request): return request
            case .advanced: continue
            case .starved: return nil
            }
        }
        return nil
    }

    /// What one step came to.
    enum Progress {
        case request(Request)
        case advanced
        /// The rest of a line, a chunk or a message must come first.
        case starved
    }

    private mutating func step() -> Progress {
        switch mode {
        case .command, .authentication:
            switch takeLine() {
            case .line(let line):
                let request: Request?
                if case .authentication = mode {
                    request = authenticationLine(line)
                } else {
                    request = command(line)
                }
                return request.map(Progress.request) ?? .advanced
            case .refused: return .advanced
            case .incomplete: return .starved
            }
        case .data: return readData()
        case .chunk(let remaining, let isLast): return readChunk(remaining, isLast)
        case .discardedChunk(let remaining, let reply): return discardChunk(remaining, reply)
        case .closed: return .request(.close)
        }
    }

    // MARK: Replies

    mutating func reply(_ reply: Reply) {
        reply.encode(into: &output)
    }

    /// Refuses for syntax or order, and counts it.
    mutating func refuseSyntax(_ refusal: Reply) {
        reply(refusal)
        errors += 1
        if errors >= limits.errors { close(with: .tooManyErrors) }
    }

    /// Answers a command that moves nothing forward, and counts it.
    mutating func replyIdle(_ answer: Reply) {
        reply(answer)
        idleCommands += 1
        if idleCommands >= limits.idleCommands { close(with: .tooManyErrors) }
    }

    /// Ends the session with `last` as its last words, as when the server stops or the client was
    /// silent too long.
    ///
    /// RFC 5321 §3.8
    package mutating func close(with last: Reply) {
        reply(last)
        mode = .closed
        waiting = nil
        transaction = nil
        input = []
        position = 0
    }

    // MARK: Lines

    private enum Line {
        case line(ArraySlice<UInt8>)
        /// Answered already: too long, or not ended as a line is.
        case refused
        case incomplete
    }

    private mutating func takeLine() -> Line {
        let limit: Int
        if case .authentication = mode {
            limit = limits.authenticationLine
        } else {
            limit = limits.commandLine
        }
        guard let end = input.firstIndex(ofByte: .lf, from: position) else {
            if isDiscardingLine || input.count - position > limit {
                isDiscardingLine = true
                position = input.count
            }
            return .incomplete
        }
        let line = input[position..<end]
        position = end + 1
        lineCount += 1
        if isDiscardingLine || line.count >= limit {
            isDiscardingLine = false
            refuseLine(.lineTooLong)
            return .refused
        }
        guard line.last == .cr, line.firstIndex(ofByte: .cr) == line.endIndex - 1 else {
            refuseLine(.bareLineEnding)
            return .refused
        }
        return .line(line.dropLast())
    }

    private mutating func refuseLine(_ reply: Reply) {
        if case .authentication = mode {
            mode = .command
            refuseSyntax(reply == .lineTooLong ? .authenticationLineTooLong : reply)
        } else {
            refuseSyntax(reply)
        }
    }
}
