import Mail
import SMTP
import Testing

@Suite("Server conversation")
struct ServerConversationTests {
    private func conversation(_ offer: Offer = Offer(startTLS: true)) -> ServerConversation {
        var conversation = ServerConversation(
            .smtp,
            hostName: "mx.example.org",
            limits: ConversationLimits(),
            offer: offer,
            isSecure: false
        )
        conversation.greet()
        _ = conversation.takeOutput()
        return conversation
    }

    private func say(_ text: String, _ conversation: inout ServerConversation) -> Request? {
        conversation.receive(Array(text.utf8))
        return conversation.next()
    }

    private func output(_ conversation: inout ServerConversation) -> String {
        String(decoding: conversation.takeOutput(), as: UTF8.self)
    }

    // RFC 3207 §4.2
    @Test func startTLSIsRefusedWhenAnythingFollowsIt() {
        var conversation = conversation()
        #expect(say("EHLO a\r\nSTARTTLS\r\nMAIL FROM:<a@b.example>\r\n", &conversation) == nil)
        #expect(
            output(&conversation).hasSuffix(
                "\r\n503 5.5.1 Nothing may be sent after STARTTLS before the handshake\r\n"
            )
        )
        #expect(!conversation.isSecure)
        #expect(say("NOOP\r\n", &conversation) == nil)
        #expect(output(&conversation) == "250 2.0.0 OK\r\n")
    }

    @Test func startTLSForgetsWhatWasSaid() {
        var conversation = conversation()
        #expect(say("EHLO a\r\nSTARTTLS\r\n", &conversation) == .startTLS)
        conversation.tlsStarted()
        #expect(conversation.clientName == nil)
        #expect(say("MAIL FROM:<>\r\n", &conversation) == nil)
        #expect(output(&conversation).hasSuffix("503 5.5.1 Say EHLO first\r\n"))
    }

    @Test func thePrefixStandsBeforeTheMessageAndDoesNotCount() {
        var conversation = conversation()
        guard case .mail = say("EHLO a\r\nMAIL FROM:<>\r\n", &conversation) else {
            Issue.record("no MAIL")
            return
        }
        conversation.accept(Reply(.ok, .otherAddress, "OK"))
        _ = say("RCPT TO:<a@b.example>\r\n", &conversation)
        conversation.accept(Reply(.ok, .validRecipient, "OK"))
        #expect(say("DATA\r\n", &conversation) == .bodyBegins(expected: nil))
        conversation.acceptBody(prefix: Array("X: y\r\n".utf8))
        #expect(conversation.isReceivingBody)
        guard case .message(let message) = say("a\r\n.\r\n", &conversation) else {
            Issue.record("no message")
            return
        }
        #expect(String(decoding: message.bytes, as: UTF8.self) == "X: y\r\na\r\n")
        #expect(message.size == 3)
    }

    /// A door that shuts refuses with 421, whatever it is asked, and the session ends.
    @Test func refusingWith421Ends() {
        var conversation = conversation()
        _ = say("EHLO a\r\nMAIL FROM:<>\r\nNOOP\r\n", &conversation)
        conversation.refuse(Reply(.unavailable, .notAcceptingMessages, "Stopping"))
        #expect(conversation.next() == .close)
        #expect(output(&conversation).hasSuffix("421 4.3.2 Stopping\r\n"))
    }

    /// A door short of memory lets go of a message half-way; the session stays in step.
    @Test func abandonsAMessageHalfWay() {
        var conversation = conversation()
        _ = say("EHLO a\r\nMAIL FROM:<>\r\n", &conversation)
        conversation.accept(Reply(.ok, .otherAddress, "OK"))
        _ = say("RCPT TO:<a@b.example>\r\n", &conversation)
        conversation.accept(Reply(.ok, .validRecipient, "OK"))
        _ = say("DATA\r\n", &conversation)
        conversation.acceptBody()
        _ = conversation.takeOutput()
        #expect(say("half\r\n", &conversation) == nil)
        let full = Reply(.insufficientStorage, .systemFull, "Full")
        conversation.abandonBody(full)
        #expect(conversation.bufferedOctets < 100)
        #expect(say("more\r\n.\r\nNOOP\r\n", &conversation) == .messageRefused(full))
        #expect(conversation.next() == nil)
        #expect(output(&conversation).hasPrefix("452 4.3.1 Full\r\n250 2.0.0 OK\r\n"))
    }

    /// Whatever octets arrive, replies are well formed and no more is held than the limits say.
    @Test(arguments: 0..<200)
    func survivesNoise(seed: UInt64) {
        var noise = SMTPNoise(seed: seed)
        let outcome = noise.run()
        #expect(outcome.largestBuffer <= outcome.allowedBuffer, "seed \(seed)")
        #expect(outcome.badReply == nil, "seed \(seed)")
    }
}
