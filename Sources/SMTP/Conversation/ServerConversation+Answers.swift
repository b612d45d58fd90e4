import Wire

// The door's answers. One that does not belong to the request is a mistake of the door, never of a
// client.

extension ServerConversation {
    /// Says yes to MAIL or RCPT.
    package mutating func accept(_ reply: Reply) {
        precondition(!reply.isNegative, "accepted with a refusal")
        switch waiting {
        case .mail(let command): transaction = Transaction(mail: command)
        case .rcpt: transaction?.recipients += 1
        case .data, .chunk, .message, .authentication, .tls, nil:
            preconditionFailure("accept answers MAIL and RCPT")
        }
        waiting = nil
        self.reply(reply)
    }

    /// Says no to MAIL, RCPT or a message that is about to come.
    package mutating func refuse(_ refusal: Reply) {
        precondition(refusal.isNegative, "refused with a promise")
        let request = waiting
        waiting = nil
        switch request {
        case .mail: replyIdle(refusal)
        case .rcpt: countRefusedRecipient(refusal)
        case .data:
            // The client does not send the message, and there is nothing left of the transaction.
            transaction = nil
            reply(refusal)
        case .chunk(let command):
            transaction?.hasFailed = true
            mode = .discardedChunk(remaining: command.size, reply: refusal)
            return
        case .message, .authentication, .tls, nil:
            preconditionFailure("refuse answers MAIL, RCPT and bodyBegins")
        }
        if refusal.code == .unavailable { closeAfterOutput() }
    }

    /// Lets the message come; `prefix` (trace fields) will stand before it.
    ///
    /// RFC 5321 §4.1.1.4, §4.4
    package mutating func acceptBody(prefix: [UInt8] = []) {
        let request = waiting
        waiting = nil
        switch request {
        case .data:
            begin(prefix, expected: transaction?.mail.size)
            mode = .data(DataDecoder(longestLine: limits.textLine))
            reply(.startMailInput)
        case .chunk(let command):
            begin(prefix, expected: command.isLast ? command.size : transaction?.mail.size)
            mode = .chunk(remaining: command.size, isLast: command.isLast)
        case .mail, .rcpt, .message, .authentication, .tls, nil:
            preconditionFailure("acceptBody answers bodyBegins")
        }
    }

    /// Lets go of the message that is coming: the rest is read and thrown away, and `refusal` is the
    /// reply at its end.
    ///
    /// Does nothing when no message is coming.
    package mutating func abandonBody(_ refusal: Reply) {
        precondition(refusal.isNegative, "abandoned with a promise")
        guard transaction?.sink != nil, transaction?.abandonment == nil else { return }
        transaction?.abandonment = refusal
        transaction?.sink?.abandon()
    }

    private mutating func begin(_ prefix: [UInt8], expected: Int?) {
        transaction?.sink = MessageSink(
            prefix: prefix,
            limit: limits.messageSize,
            expected: expected ?? Self.firstRoom
        )
    }

    /// Octets to make room for when the client did not declare a size.
    private static let firstRoom = 16_384

    /// Answers the message: once in SMTP, once for each accepted recipient in LMTP.
    ///
    /// RFC 2033 §4.2
    package mutating func finish(_ reply: Reply) {
        finish(each: Array(repeating: reply, count: transaction?.recipients ?? 1))
    }

    /// Answers the message with a reply for each accepted recipient, in their order.
    ///
    /// SMTP sends the first alone.
    package mutating func finish(each replies: [Reply]) {
        guard case .message = waiting else { preconditionFailure("finish answers message") }
        waiting = nil
        let wanted = dialect == .lmtp ? transaction?.recipients ?? 0 : 1
        precondition(replies.count >= wanted, "a recipient without its reply")
        for each in replies.prefix(wanted) { reply(each) }
        transaction = nil
        if replies.prefix(wanted).contains(where: { $0.code == .unavailable }) {
            closeAfterOutput()
        }
    }

    // MARK: Authentication and TLS

    /// Sends a challenge.
    ///
    /// RFC 4954 §4
    package mutating func challenge(_ bytes: [UInt8]) {
        guard case .authentication = waiting else { preconditionFailure("challenge answers AUTH") }
        waiting = nil
        mode = .authentication
        output.append(decimal: ReplyCode.continueAuthentication.rawValue)
        output.append(.space)
        output += Base64.encode(bytes)
        output.appendCRLF()
    }

    /// The client proved who it is.
    ///
    /// RFC 4954 §4
    package mutating func authenticated() {
        guard case .authentication = waiting else {
            preconditionFailure("authenticated answers AUTH")
        }
        waiting = nil
        isAuthenticated = true
        reply(.authenticated)
    }

    /// The client did not; counts as an error.
    package mutating func authenticationFailed(_ refusal: Reply) {
        guard case .authentication = waiting else {
            preconditionFailure("authenticationFailed answers AUTH")
        }
        waiting = nil
        refuseSyntax(refusal)
        if refusal.code == .unavailable { closeAfterOutput() }
    }

    /// The handshake is done: everything said before is forgotten.
    ///
    /// RFC 3207 §4.2
    package mutating func tlsStarted() {
        guard case .tls = waiting else { preconditionFailure("tlsStarted answers startTLS") }
        waiting = nil
        isSecure = true
        isAuthenticated = false
        greeting = .none
        clientName = nil
        transaction = nil
        input = []
        position = 0
    }

    private mutating func closeAfterOutput() {
        mode = .closed
        transaction = nil
        input = []
        position = 0
    }
}
