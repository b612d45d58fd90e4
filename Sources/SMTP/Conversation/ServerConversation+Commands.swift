import Wire

extension ServerConversation {
    /// Reads one command; nil when the conversation answered it by itself.
    mutating func command(_ line: ArraySlice<UInt8>) -> Request? {
        guard let command = Command(line) else {
            refuseSyntax(.unknownCommand)
            return nil
        }
        switch command {
        case .ehlo(let argument): hello(argument, .extended, isOurs: dialect == .smtp)
        case .helo(let argument): hello(argument, .plain, isOurs: dialect == .smtp)
        case .lhlo(let argument): hello(argument, .extended, isOurs: dialect == .lmtp)
        case .mail(let arguments): return mail(arguments)
        case .rcpt(let arguments): return rcpt(arguments)
        case .data(let arguments): return data(arguments)
        case .bdat(let arguments): return bdat(arguments)
        case .auth(let arguments): return auth(arguments)
        case .startTLS(let arguments): return startTLS(arguments)
        case .rset(let arguments):
            guard arguments.isEmpty else {
                refuseSyntax(.argumentSyntax)
                return nil
            }
            transaction = nil
            replyIdle(.transactionReset)
        case .quit(let arguments):
            guard arguments.isEmpty else {
                refuseSyntax(.argumentSyntax)
                return nil
            }
            close(with: .closing)
        case .noop: replyIdle(.nothingDone)
        case .help: replyIdle(.help)
        case .vrfy(let argument):
            if argument.isEmpty { refuseSyntax(.argumentSyntax) } else { replyIdle(.cannotVerify) }
        case .expn: replyIdle(.noLists)
        }
        return nil
    }

    // MARK: EHLO, HELO, LHLO

    // EHLO anywhere is also a RSET. RFC 5321 §4.1.4
    private mutating func hello(
        _ argument: ArraySlice<UInt8>,
        _ kind: Greeting,
        isOurs: Bool
    ) {
        guard isOurs else {
            return refuseSyntax(dialect == .lmtp ? .useLHLO : .unknownCommand)
        }
        guard let name = HelloArgument.parse(argument) else { return refuseSyntax(.helloSyntax) }
        clientName = name
        greeting = kind
        transaction = nil
        let lines = kind == .extended ? [hostName] + capabilities : [hostName]
        replyIdle(Reply(.ok, nil, lines: lines))
    }

    /// The lines of EHLO after the first.
    private var capabilities: [String] {
        var lines = [
            "PIPELINING", "SIZE \(limits.messageSize)", "8BITMIME", "SMTPUTF8", "CHUNKING",
            "BINARYMIME", "DSN", "ENHANCEDSTATUSCODES", "LIMITS RCPTMAX=\(limits.recipients)",
        ]
        if offer.startTLS, !isSecure { lines.append("STARTTLS") }
        if offersAuthentication { lines.append("AUTH \(offer.mechanisms.joined(separator: " "))") }
        return lines
    }

    private var offersAuthentication: Bool {
        !offer.mechanisms.isEmpty && (isSecure || offer.allowsCleartextAuthentication)
    }

    // MARK: MAIL, RCPT

    private mutating func mail(_ arguments: ArraySlice<UInt8>) -> Request? {
        guard greeting != .none else {
            refuseSyntax(.helloFirst)
            return nil
        }
        guard transaction == nil else {
            refuseSyntax(.mailTwice)
            return nil
        }
        do {
            let command = try MailCommand(arguments, isExtended: isExtended)
            // Refused now: the client need not send what would be refused at its end.
            // RFC 1870 §6.1
            if let size = command.size, size > limits.messageSize {
                replyIdle(.messageTooBig)
                return nil
            }
            waiting = .mail(command)
            return .mail(command)
        } catch {
            refuseSyntax(error.reply)
            return nil
        }
    }

    private mutating func rcpt(_ arguments: ArraySlice<UInt8>) -> Request? {
        guard let transaction else {
            refuseSyntax(.mailNeeded)
            return nil
        }
        guard transaction.sink == nil, !transaction.hasFailed else {
            refuseSyntax(.chunksBegun)
            return nil
        }
        guard transaction.recipients < limits.recipients else {
            countRefusedRecipient(.tooManyRecipients)
            return nil
        }
        do {
            let command = try RcptCommand(
                arguments,
                isExtended: isExtended,
                usesSMTPUTF8: transaction.mail.usesSMTPUTF8
            )
            waiting = .rcpt
            return .rcpt(command)
        } catch {
            self.transaction?.refused += 1
            refuseSyntax(error.reply)
            return nil
        }
    }

    /// Refuses a recipient, and counts it: a client that guesses addresses is cut off.
    mutating func countRefusedRecipient(_ refusal: Reply) {
        transaction?.refused += 1
        reply(refusal)
        refusedRecipients += 1
        if refusedRecipients >= limits.refusedRecipients { close(with: .tooManyErrors) }
    }

    // MARK: STARTTLS

    private mutating func startTLS(_ arguments: ArraySlice<UInt8>) -> Request? {
        guard offer.startTLS else {
            refuseSyntax(.notOffered)
            return nil
        }
        guard !isSecure else {
            refuseSyntax(.alreadySecure)
            return nil
        }
        guard arguments.isEmpty else {
            refuseSyntax(.argumentSyntax)
            return nil
        }
        // What came in the same breath may be an attacker's, to be read as if it were protected:
        // it is thrown away and TLS refused.
        guard position == input.count else {
            position = input.count
            refuseSyntax(.nothingMayFollow)
            return nil
        }
        reply(.startTLS)
        waiting = .tls
        return .startTLS
    }

    // MARK: AUTH

    // AUTH SP mechanism [SP (initial-response / "=")]
    private mutating func auth(_ arguments: ArraySlice<UInt8>) -> Request? {
        if let refusal = refusalOfAuthentication() {
            refuseSyntax(refusal)
            return nil
        }
        let words = arguments.split(separator: .space, omittingEmptySubsequences: false)
        guard let name = words.first, !name.isEmpty, words.count <= 2 else {
            refuseSyntax(.argumentSyntax)
            return nil
        }
        guard
            let mechanism = offer.mechanisms.first(where: { offered in
                offered.utf8.count == name.count
                    && zip(offered.utf8, name).allSatisfy { $0.lowercased == $1.lowercased }
            })
        else {
            refuseSyntax(.mechanismUnknown)
            return nil
        }
        var initialResponse: [UInt8]?
        if words.count == 2 {
            guard let response = words[1].elementsEqual([0x3D]) ? [] : Base64.decode(words[1])
            else {
                refuseSyntax(.notBase64)
                return nil
            }
            initialResponse = response
        }
        waiting = .authentication
        return .authenticate(mechanism: mechanism, initialResponse: initialResponse)
    }

    private func refusalOfAuthentication() -> Reply? {
        if offer.mechanisms.isEmpty { return .notOffered }
        if greeting != .extended { return .helloFirst }
        if isAuthenticated { return .alreadyAuthenticated }
        if transaction != nil { return .authenticationTooLate }
        if !offersAuthentication { return .encryptionRequired }
        return nil
    }

    mutating func authenticationLine(_ line: ArraySlice<UInt8>) -> Request? {
        mode = .command
        if line.elementsEqual([0x2A]) {
            refuseSyntax(.authenticationCancelled)
            return nil
        }
        guard let response = Base64.decode(line) else {
            refuseSyntax(.notBase64)
            return nil
        }
        waiting = .authentication
        return .authenticationResponse(response)
    }
}
