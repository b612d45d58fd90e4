/// How a status response judges a command.
///
/// RFC 9051 §7.1
package enum Condition: Hashable, Sendable {
    case ok, no, bad
}

/// A command that the grammar turns down, as the client will read it.
package struct Refusal: Error, Equatable, Sendable {
    /// Nil when not even a tag could be read; the response is then untagged.
    package var tag: String?
    package let condition: Condition
    package let code: ResponseCode?
    package let text: String

    package init(
        tag: String? = nil,
        _ condition: Condition,
        _ code: ResponseCode? = nil,
        _ text: String
    ) {
        self.tag = tag
        self.condition = condition
        self.code = code
        self.text = text
    }

    static func bad(_ text: String) -> Refusal { Refusal(.bad, nil, text) }

    /// More text than a command may have.
    package static let commandTooLong = Refusal(.bad, .tooBig, "Command too long")
    /// More literal data than a command may have.
    package static let literalTooLarge = Refusal(.bad, .tooBig, "Literal too large")
    /// A message above the limit that APPENDLIMIT announces.
    ///
    /// RFC 7889 §3
    package static let messageTooLarge = Refusal(.no, .tooBig, "Message too large")
    /// More messages in one APPEND than the server keeps in hand.
    package static let tooManyMessages = Refusal(.no, .limit, "Too much for one APPEND")
}
