import Mail
import SMTP
import TestRig
import Wire

/// A door in memory that knows a few mailboxes, to play transcripts against the conversation alone.
actor ToyDoor: TranscriptPeer {
    private var conversations: [Int: ServerConversation] = [:]
    private let dialect: Dialect
    private var mailboxes: Set<EmailAddress> = []
    private var limits = ConversationLimits(messageSize: 100_000)
    private var offer = Offer(
        startTLS: true,
        allowsCleartextAuthentication: true
    )
    private var messages: [[UInt8]] = []
    private var login: [UInt8] = []
    private var recipients: [Int: [EmailAddress]] = [:]
    private(set) var largestBuffer = 0

    init(_ dialect: Dialect, givens: [String]) throws {
        self.dialect = dialect
        for given in givens {
            let words = given.split(separator: " ").map(String.init)
            switch (words[0], words.count) {
            case ("mailbox", 2):
                if let address = EmailAddress(parsing: words[1]) { mailboxes.insert(address) }
            case ("limit", 3):
                guard let value = Int(words[2]) else { throw TranscriptError.empty(given) }
                switch words[1] {
                case "size": limits.messageSize = value
                case "recipients": limits.recipients = value
                case "errors": limits.errors = value
                case "textline": limits.textLine = value
                case "refused": limits.refusedRecipients = value
                case "discarded": limits.discardedOctets = value
                case "idle": limits.idleCommands = value
                default: throw TranscriptError.empty(given)
                }
            case ("auth", _): offer.mechanisms = Array(words.dropFirst())
            case ("no", 2) where words[1] == "tls": offer.startTLS = false
            case ("no", 3) where words[1] == "cleartext":
                offer.allowsCleartextAuthentication = false
            default: throw TranscriptError.empty(given)
            }
        }
    }

    func send(_ bytes: [UInt8], on number: Int) {
        var conversation = open(number)
        conversation.receive(bytes)
        serve(&conversation, number)
        largestBuffer = max(largestBuffer, conversation.bufferedOctets)
        conversations[number] = conversation
    }

    func receive(on number: Int) throws -> [UInt8]? {
        var conversation = open(number)
        defer { conversations[number] = conversation }
        let bytes = conversation.takeOutput()
        if bytes.isEmpty {
            if conversation.next() == .close { return nil }
            throw TranscriptError.empty("the door waits for the client")
        }
        return bytes
    }

    func perform(_ verb: String, on number: Int) throws {
        guard verb == "tls" else { throw TranscriptError.empty(verb) }
        conversations[number]?.tlsStarted()
    }

    func check(_ fact: String) throws {
        let words = fact.split(separator: " ").map(String.init)
        switch words.first {
        case "messages":
            guard messages.count == Int(words[1]) else {
                throw TranscriptError.empty("\(messages.count) messages")
            }
        case "message":
            // then message 1 ends \r\n.\r\n
            let text = words.dropFirst().joined(separator: " ")
            guard let last = messages.last.map({ String(decoding: $0, as: UTF8.self) }),
                last.replacing("\r\n", with: "|") == text
            else {
                throw TranscriptError.empty(
                    messages.last.map { String(decoding: $0, as: UTF8.self) } ?? "none"
                )
            }
        default: throw TranscriptError.empty(fact)
        }
    }

    private func open(_ number: Int) -> ServerConversation {
        if let conversation = conversations[number] { return conversation }
        var conversation = ServerConversation(
            dialect,
            hostName: "mx.example.org",
            limits: limits,
            offer: offer,
            isSecure: false
        )
        conversation.greet()
        conversations[number] = conversation
        return conversation
    }

    private func serve(_ conversation: inout ServerConversation, _ number: Int) {
        while let request = conversation.next() {
            switch request {
            case .mail:
                recipients[number] = []
                conversation.accept(Reply(.ok, .otherAddress, "OK"))
            case .rcpt(let command):
                switch command.forwardPath {
                case .address(let address) where mailboxes.contains(address):
                    recipients[number, default: []].append(address)
                    conversation.accept(Reply(.ok, .validRecipient, "OK"))
                case .address(let address) where address.domain != "example.org":
                    conversation.refuse(
                        Reply(.mailboxUnavailable, .notAuthorized, "Relaying denied")
                    )
                case .address:
                    conversation.refuse(
                        Reply(.mailboxUnavailable, .badMailbox, "No such mailbox here")
                    )
                case .postmaster: conversation.accept(Reply(.ok, .validRecipient, "OK"))
                }
            case .bodyBegins: conversation.acceptBody()
            case .message(let message):
                let copies = max(1, Set(recipients[number, default: []]).count)
                messages += Array(repeating: message.bytes, count: copies)
                conversation.finish(Reply(.ok, .other, "Accepted as 1"))
            case .messageRefused: break
            case .authenticate(let mechanism, let initial):
                if let initial {
                    answer(&conversation, initial)
                } else {
                    conversation.challenge(mechanism == "LOGIN" ? Array("Username:".utf8) : [])
                }
            case .authenticationResponse(let response):
                answer(&conversation, response)
            case .startTLS, .close: return
            }
        }
    }

    private func answer(_ conversation: inout ServerConversation, _ response: [UInt8]) {
        if response == Array("\0anna\0secret".utf8) || login + response == Array("annasecret".utf8)
        {
            conversation.authenticated()
        } else if response == Array("anna".utf8) {
            login = response
            conversation.challenge(Array("Password:".utf8))
        } else {
            conversation.authenticationFailed(.credentialsInvalid)
        }
    }
}
