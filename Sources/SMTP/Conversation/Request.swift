/// What a conversation asks of its door.
///
/// Each request names the call that answers it; nothing else is read before that.
package enum Request: Equatable, Sendable {
    /// Answer with `accept` or `refuse`.
    case mail(MailCommand)

    /// Answer with `accept` or `refuse`.
    case rcpt(RcptCommand)

    /// The message is about to come, of so many octets where the client has said. Answer with
    /// `acceptBody` or `refuse`.
    case bodyBegins(expected: Int?)

    /// The message is whole. Answer with `finish`.
    case message(ReceivedMessage)

    /// The message was read to its end and has been refused with this reply, for what its octets
    /// are. Needs no answer.
    case messageRefused(Reply)

    /// AUTH with a mechanism that is offered. Answer with `challenge`, `authenticated` or
    /// `authenticationFailed`.
    case authenticate(mechanism: String, initialResponse: [UInt8]?)

    /// What the client says to a challenge. Answer likewise.
    case authenticationResponse([UInt8])

    /// Send the output, do the handshake, then call `tlsStarted`.
    case startTLS

    /// Send the output and close the connection.
    case close
}

/// A message as it came, the door's prefix before it.
package struct ReceivedMessage: Equatable, Sendable {
    /// The prefix given to `acceptBody`, then the message.
    package var bytes: [UInt8]
    /// Octets of the message without the prefix.
    package let size: Int
    package let body: BodyType
}
