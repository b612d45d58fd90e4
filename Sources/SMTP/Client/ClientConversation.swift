import Wire

/// The client's side of one SMTP or LMTP connection, without the connection.
///
/// The driver asks `next()` what to do, does it, and reports: `received`, `ended`, `tlsStarted`.
/// Every command sent stands in `expected` until its reply has come, so pipelining and lock step are
/// the same code.
///
///     state          next() gives
///     greeting       receive; then EHLO (HELO when refused), STARTTLS, EHLO again, AUTH
///     ready          ready: the driver calls begin or quit
///     transaction    MAIL, RCPT…, DATA (together where PIPELINING is offered), the message
///     over           failed for ever; nothing more is sent
///
/// RFC 5321 §4.1.4, RFC 2920 §3.1, RFC 2033 §4.2
package struct ClientConversation: Sendable {
    package enum Action: Equatable, Sendable {
        case send([UInt8])
        /// Wait at most this long for bytes.
        case receive(within: Duration)
        /// Shake hands, then call `tlsStarted`; when that fails, the connection is of no use.
        case startTLS
        /// The session stands, or stands again: begin a transaction or quit.
        case ready
        /// One verdict for each recipient of the envelope, in its order. Ask `next()` again.
        case transactionEnded([ClientVerdict])
        /// The session is over: close the connection. Nil after QUIT.
        case over(ClientVerdict?)
    }

    enum Expectation: Equatable {
        case greeting, hello, plainHello, startTLS, auth, rset, mail, data, quit
        case rcpt(Int)
        /// The end of the message; in LMTP one for each recipient accepted.
        case final(Int?)
        /// The end of a message that nobody was to get.
        case ignored
    }

    /// Bytes of the message sent at a time.
    static let pieceBytes = 65_536

    let settings: ClientSettings
    package private(set) var extensions = PeerExtensions()
    package private(set) var isSecure: Bool
    /// Transactions begun on this connection.
    package private(set) var transactions = 0

    /// The message of the last transaction went out whole; without an answer its fate is unknown.
    package private(set) var sentMessage = false

    private var reader = PeerReplyReader()
    private var output: [UInt8] = []
    private var expected: [Expectation] = []
    private var isReady = false
    private var mustStartTLS = false
    private var isAuthenticated = false
    private var needsReset = false
    private var transaction: ClientTransaction?
    private var end: End?

    private struct End {
        let verdict: ClientVerdict?
    }

    /// - Parameter isSecure: true when the connection began with TLS.
    package init(_ settings: ClientSettings, isSecure: Bool = false) {
        self.settings = settings
        self.isSecure = isSecure
        expected = [.greeting]
    }

    /// The connection can carry another transaction.
    package var isReusable: Bool { isReady && end == nil }

    // MARK: What to do

    package mutating func next() -> Action {
        if !output.isEmpty {
            defer { output = [] }
            return .send(output)
        }
        if end == nil, transaction != nil, let piece = advance() { return .send(piece) }
        if expected.isEmpty || end != nil,
            let verdicts = transaction?.finished(lostBy: end?.verdict)
        {
            if transaction?.leavesOpen == true { needsReset = true }
            sentMessage = transaction?.isSent == true
            transaction = nil
            if reader.holdsBytes { lose(.unexpectedReply) }
            return .transactionEnded(verdicts)
        }
        if let end { return .over(end.verdict) }
        if mustStartTLS { return .startTLS }
        if let waited = expected.first { return .receive(within: timeout(for: waited)) }
        return .ready
    }

    /// The next commands or the next piece of the message; nil when a reply must come first.
    private mutating func advance() -> [UInt8]? {
        guard var current = transaction else { return nil }
        transaction = nil
        defer { transaction = current }
        var commands: [UInt8] = []
        while expected.isEmpty || extensions.pipelining,
            let (line, expectation) = current.nextCommand(nothingExpected: expected.isEmpty)
        {
            commands += line
            expected.append(expectation)
        }
        if !commands.isEmpty { return commands }
        guard expected.isEmpty, let piece = current.nextPiece(Self.pieceBytes) else { return nil }
        if piece.isLast {
            switch settings.dialect {
            case .smtp: expected = [.final(nil)]
            case .lmtp: expected = current.acceptedRecipients.map { .final($0) }
            }
        }
        return piece.bytes
    }

    private func timeout(for expectation: Expectation) -> Duration {
        let timeouts = settings.timeouts
        return switch expectation {
        case .greeting: timeouts.greeting
        case .hello, .plainHello: timeouts.hello
        case .mail: timeouts.mail
        case .rcpt: timeouts.rcpt
        case .data: timeouts.dataInitiation
        case .final, .ignored: timeouts.dataTermination
        case .startTLS, .auth, .rset: timeouts.other
        case .quit: timeouts.quit
        }
    }

    // MARK: What happened

    /// Begins a transaction; the session must be ready.
    package mutating func begin(_ envelope: OutgoingEnvelope, message: [UInt8]) {
        precondition(isReusable && transaction == nil, "a transaction in a session not ready")
        transaction = ClientTransaction(
            envelope,
            message: message,
            peer: extensions,
            afterReset: needsReset
        )
        needsReset = false
        sentMessage = false
        transactions += 1
    }

    /// Says QUIT; `next()` then ends in `over`.
    package mutating func quit() {
        guard isReusable, transaction == nil else { return }
        isReady = false
        send("QUIT\r\n", .quit)
    }

    package mutating func received(_ bytes: [UInt8]) {
        reader.append(bytes)
        while end == nil {
            do {
                guard let reply = try reader.next() else { return }
                handle(reply)
            } catch {
                return lose(.malformedReply)
            }
        }
    }

    /// The connection ended.
    package mutating func ended() {
        lose(expected.first == .quit ? nil : .connectionLost)
    }

    /// The wait that `receive` asked for was in vain.
    package mutating func timedOut() {
        lose(expected.first == .quit ? nil : .timedOut)
    }

    /// The handshake that `startTLS` asked for is done: all that was learnt before is forgotten.
    ///
    /// RFC 3207 §4.2
    package mutating func tlsStarted() {
        mustStartTLS = false
        isSecure = true
        extensions = PeerExtensions()
        reader = PeerReplyReader()
        sayHello()
    }

    private mutating func lose(_ verdict: ClientVerdict?) {
        guard end == nil else { return }
        end = End(verdict: verdict)
        isReady = false
        output = []
        expected = []
        mustStartTLS = false
    }

    private mutating func send(_ line: String, _ expectation: Expectation) {
        output.append(text: line)
        expected.append(expectation)
    }

    // MARK: Replies

    private mutating func handle(_ reply: PeerReply) {
        guard !expected.isEmpty else { return unasked(reply) }
        let expectation = expected.removeFirst()
        // A shutdown answers everything that was asked; what was accepted before stays accepted.
        if reply.isShutdown, expectation != .quit {
            transaction?.handle(reply, for: expectation)
            return lose(ClientVerdict(reply))
        }
        switch expectation {
        case .greeting: greeted(reply)
        case .hello, .plainHello: helloAnswered(reply, isExtended: expectation == .hello)
        case .startTLS: startTLSAnswered(reply)
        case .auth: authAnswered(reply)
        case .rset: if reply.classDigit != 2 { lose(.unexpectedReply) }
        case .quit: lose(nil)
        case .ignored: break
        case .data, .mail, .rcpt, .final: inTransaction(reply, expectation)
        }
    }

    /// In the middle of the message it is the server's last word; at any other time nonsense.
    private mutating func unasked(_ reply: PeerReply) {
        let isRefusal = reply.classDigit >= 4 && (reply.isShutdown || transaction != nil)
        lose(isRefusal ? ClientVerdict(reply) : .unexpectedReply)
    }

    private mutating func inTransaction(_ reply: PeerReply, _ expectation: Expectation) {
        let isDisorder = expectation == .data ? reply.classDigit == 2 : reply.classDigit == 3
        if isDisorder { return lose(.unexpectedReply) }
        transaction?.handle(reply, for: expectation)
        guard expectation == .data, reply.code == 354, let current = transaction else { return }
        // The server waits for a message although it has refused every recipient.
        if current.acceptedRecipients.isEmpty { send(".\r\n", .ignored) }
    }

    private mutating func greeted(_ reply: PeerReply) {
        guard reply.classDigit == 2 else { return lose(ClientVerdict(reply)) }
        sayHello()
    }

    private mutating func sayHello() {
        switch settings.dialect {
        case .smtp: send("EHLO \(settings.hello)\r\n", .hello)
        case .lmtp: send("LHLO \(settings.hello)\r\n", .hello)
        }
    }

    private mutating func helloAnswered(_ reply: PeerReply, isExtended: Bool) {
        if reply.classDigit == 5, isExtended, settings.dialect == .smtp, !isSecure {
            return send("HELO \(settings.hello)\r\n", .plainHello)
        }
        guard reply.classDigit == 2 else { return lose(ClientVerdict(reply)) }
        extensions = isExtended ? PeerExtensions(reply) : PeerExtensions()
        if !isSecure, settings.tls != .none {
            if extensions.startTLS { return send("STARTTLS\r\n", .startTLS) }
            if settings.tls == .required { return lose(.tlsNotOffered) }
        }
        authenticate()
    }

    private mutating func startTLSAnswered(_ reply: PeerReply) {
        if reply.code == 220 {
            // Bytes behind this reply were put there by somebody else: RFC 3207 §6.
            if reader.holdsBytes { return lose(.unexpectedReply) }
            mustStartTLS = true
        } else if settings.tls == .required || reply.classDigit < 4 {
            lose(reply.classDigit < 4 ? .unexpectedReply : .tlsNotOffered)
        } else {
            authenticate()
        }
    }

    private mutating func authenticate() {
        guard let credentials = settings.credentials, !isAuthenticated else {
            isReady = true
            return
        }
        guard extensions.authPlain else { return lose(.authenticationNotOffered) }
        let secret = [0] + Array(credentials.login.utf8) + [0] + Array(credentials.password.utf8)
        send("AUTH PLAIN \(Base64.string(secret))\r\n", .auth)
    }

    private mutating func authAnswered(_ reply: PeerReply) {
        guard reply.classDigit == 2 else {
            // A wrong password is an operator's mistake, not the message's: it waits.
            let verdict = ClientVerdict(reply)
            return lose(
                ClientVerdict(
                    .temporary,
                    .init(4, verdict.status.subject, verdict.status.detail),
                    reply.text
                )
            )
        }
        isAuthenticated = true
        isReady = true
    }
}
