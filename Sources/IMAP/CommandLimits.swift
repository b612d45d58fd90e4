/// How much one command may cost before the client is refused.
///
/// All sizes are in bytes. The values change when a client logs in: see `beforeLogin`.
package struct CommandLimits: Equatable, Sendable {
    /// A command without its literals, over all its lines.
    package var commandText: Int
    /// All literals of a command together, except messages in APPEND.
    package var literals: Int
    /// A non-synchronizing literal; larger ones are refused (RFC 7888 §5 sets 4096 for LITERAL-).
    package var nonSynchronizing: Int
    /// What is read and thrown away to stay in step after a refusal; beyond it the session ends.
    package var discarded: Int
    /// One message in APPEND.
    package var message: Int
    /// All messages of one APPEND together.
    package var appendTotal: Int
    /// How many messages one APPEND may carry.
    package var appendCount: Int
    /// One line of an AUTHENTICATE exchange, or of IDLE's end.
    package var exchangeLine: Int

    package init(
        commandText: Int = 65_536,
        literals: Int = 131_072,
        nonSynchronizing: Int = .max,
        discarded: Int = 268_435_456,
        message: Int = 52_428_800,
        appendTotal: Int = 134_217_728,
        appendCount: Int = 1_000,
        exchangeLine: Int = 16_384
    ) {
        self.commandText = commandText
        self.literals = literals
        self.nonSynchronizing = nonSynchronizing
        self.discarded = discarded
        self.message = message
        self.appendTotal = appendTotal
        self.appendCount = appendCount
        self.exchangeLine = exchangeLine
    }

    /// What a stranger may send: LITERAL- and little else.
    package static let beforeLogin = CommandLimits(
        commandText: 8_192,
        literals: 8_192,
        nonSynchronizing: 4_096,
        discarded: 65_536,
        message: 0,
        appendTotal: 0,
        appendCount: 0
    )
}
