/// Something that looks at messages for what must not pass.
///
/// An engine ends its scan soon after its task is cancelled; `Filter` cancels it when its time is
/// up or another engine has decided.
package protocol ContentEngine: Sendable {
    /// As the journal names it.
    var name: String { get }

    /// Looks at a whole message, header and body.
    ///
    /// Gives `.failed` rather than a guess whenever the answer is late, cut short or odd.
    func scan(_ message: [UInt8], within budget: Duration) async -> EngineVerdict
}

/// What one engine says of one message.
package enum EngineVerdict: Hashable, Sendable {
    case clean
    /// Something was found, under the engine's own name for it.
    case infected(String)
    case failed(EngineFailure)
}

/// Why an engine gave no verdict.
package enum EngineFailure: Hashable, Sendable {
    /// No address of the engine answered.
    case unreachable
    case timedOut
    /// The connection ended before the answer did.
    case cutOff
    /// The message is larger than the engine takes.
    case tooLarge
    /// The engine reported an error of its own; its words, cleaned.
    case error(String)
    /// The answer is none that we know; its words, cleaned.
    case unknownAnswer(String)

    /// For the journal; never for a client.
    package var reason: String {
        switch self {
        case .unreachable: "unreachable"
        case .timedOut: "timed out"
        case .cutOff: "connection ended before the answer"
        case .tooLarge: "message is larger than the engine takes"
        case .error(let text): "error: \(text)"
        case .unknownAnswer(let text): "unknown answer: \(text)"
        }
    }
}
