import Wire

/// One whole command as it came: its text and, for APPEND, the messages beside it.
package struct CommandText: Equatable, Sendable {
    /// The command without its last line end; literals stand where they were sent.
    package let text: ArraySlice<UInt8>
    /// Messages of APPEND; in `text` only their announcement stands.
    package let messages: [[UInt8]]

    package init(text: ArraySlice<UInt8>, messages: [[UInt8]] = []) {
        self.text = text
        self.messages = messages
    }
}

/// Cuts what a client sends into commands, literals included.
///
/// Give it bytes with `feed`, then call `next()` until it answers nil. It never holds more than the
/// limits allow and one chunk; what is too long is read past and answered with a refusal.
///
///     state        input                 event              next state
///     line         … {n} CRLF            literalRequested   literal
///     line         … {n+} CRLF           -                  literal
///     line         APPEND … {n} CRLF     messageOffered     offered
///     offered      accept() / refuse()   literalRequested   message / discard
///     literal      n bytes               -                  line
///     line         … CRLF                command            line
///     line         too long              -                  discard
///     discard      end of the command    refused            line
///
/// RFC 9051 §2.2.1, §4.3, RFC 7888 §3
package struct CommandReader: Sendable {
    package enum Event: Equatable, Sendable {
        /// A command is complete.
        case command(CommandText)
        /// The line that `expectLine()` asked for, without its end.
        case line(ArraySlice<UInt8>)
        /// The line that `expectLine()` asked for exceeds `exchangeLine` and was read past.
        case overlongLine
        /// The client waits for a continuation request before it sends a literal.
        case literalRequested
        /// A message of APPEND is announced: call `acceptMessage()` or `refuseMessage(_:)`.
        case messageOffered(size: Int)
        /// A command was read past.
        case refused(Refusal)
        /// The client is so far out of bounds that the session must end.
        case overrun
    }

    private enum State: Equatable {
        case line
        case literal(remaining: Int)
        case offered(Literal)
        case message(remaining: Int)
        case discardLine(Refusal)
        case discardLiteral(Refusal, remaining: Int)
        case refusing(Refusal)
        case exchangeLine
        case discardExchange
        case overrun
        case dead
    }

    /// A literal's announcement at the end of a line.
    struct Literal: Equatable {
        var size: Int
        var isSynchronizing: Bool
    }

    package var limits: CommandLimits
    private var state = State.line
    private var input: [UInt8] = []
    private var start = 0
    /// No line feed stands in `input[start..<scanned]`.
    private var scanned = 0
    /// The command so far, once it has had a literal.
    private var text: [UInt8] = []
    private var literalBytes = 0
    private var discardedBytes = 0
    private var messages: [[UInt8]] = []
    private var message: [UInt8] = []
    private var messageBytes = 0

    package init(limits: CommandLimits = .beforeLogin) {
        self.limits = limits
    }

    /// Bytes held now, for limits and tests.
    package var bufferedBytes: Int {
        input.count - start + text.count + messageBytes + message.count
    }

    /// True between commands with nothing received yet of the next.
    package var isAtRest: Bool { state == .line && text.isEmpty && start == input.count }

    /// True when a command has begun and its end has not been received.
    package var isWithinCommand: Bool {
        state != .exchangeLine && (state != .line || !text.isEmpty || start < input.count)
    }

    /// True when bytes were received that `next()` has not returned yet.
    package var hasInput: Bool { start < input.count }

    /// Adds what the client sent.
    package mutating func feed(_ bytes: [UInt8]) {
        if start == input.count {
            input = bytes
            start = 0
            scanned = 0
            return
        }
        if start > 0 {
            input.removeSubrange(..<start)
            scanned = max(0, scanned - start)
            start = 0
        }
        input.append(contentsOf: bytes)
    }

    /// Forgets everything received and not yet returned: nothing said before TLS counts after it.
    ///
    /// RFC 9051 §6.2.1
    package mutating func discardInput() {
        self = CommandReader(limits: limits)
    }

    /// Gives back the memory of an empty buffer.
    package mutating func releaseBuffer() {
        guard isAtRest || state == .exchangeLine, start == input.count else { return }
        input = []
        start = 0
        scanned = 0
    }

    /// The next line is not a command: it belongs to AUTHENTICATE or ends IDLE.
    package mutating func expectLine() {
        guard state == .line, text.isEmpty else { return }
        state = .exchangeLine
    }

    /// Lets the announced message come; true when the client waits for a continuation request.
    package mutating func acceptMessage() -> Bool {
        guard case .offered(let literal) = state else { return false }
        state = .message(remaining: literal.size)
        message.reserveCapacity(min(literal.size, 1_048_576))
        return literal.isSynchronizing
    }

    /// Turns the announced message down; a `refused` event follows once the reader is in step.
    package mutating func refuseMessage(_ refusal: Refusal) {
        guard case .offered(let literal) = state else { return }
        discard(literal, because: refusal)
    }

    /// What has been received so far, or nil when more bytes are needed.
    package mutating func next() -> Event? {
        while true {
            switch state {
            case .line:
                switch readLine() {
                case .event(let event): return event
                case .more: return nil
                case .continue: continue
                }
            case .literal(let remaining):
                let taken = take(remaining)
                text.append(contentsOf: taken)
                guard taken.count == remaining else {
                    state = .literal(remaining: remaining - taken.count)
                    return nil
                }
                state = .line
            case .message(let remaining):
                let taken = take(remaining)
                message.append(contentsOf: taken)
                guard taken.count == remaining else {
                    state = .message(remaining: remaining - taken.count)
                    return nil
                }
                messages.append(message)
                messageBytes += message.count
                message = []
                state = .line
            case .offered:
                return nil
            case .discardLine(let refusal):
                guard discardLine(refusal) else { return nil }
            case .discardLiteral(let refusal, let remaining):
                let taken = take(remaining)
                guard taken.count == remaining else {
                    state = .discardLiteral(refusal, remaining: remaining - taken.count)
                    return nil
                }
                state = .discardLine(refusal)
            case .refusing(let refusal):
                reset()
                return .refused(refusal)
            case .exchangeLine:
                let end = lineEnd()
                if (end ?? input.count) - start > limits.exchangeLine {
                    state = .discardExchange
                    continue
                }
                guard let end else { return nil }
                state = .line
                return .line(consumeLine(to: end))
            case .discardExchange:
                scanned = start
                guard let end = lineEnd() else {
                    start = input.count
                    return nil
                }
                _ = consumeLine(to: end)
                state = .line
                return .overlongLine
            case .overrun:
                reset()
                state = .dead
                return .overrun
            case .dead:
                input = []
                start = 0
                scanned = 0
                return nil
            }
        }
    }

    // MARK: Lines

    private enum Step {
        case event(Event), more, `continue`
    }

    private mutating func readLine() -> Step {
        let textBytes = text.count - literalBytes
        guard let end = lineEnd() else {
            guard textBytes + input.count - start > limits.commandText else { return .more }
            text.append(contentsOf: input[start..<min(input.count, start + 256)])
            state = .discardLine(tagged(.commandTooLong))
            return .continue
        }
        if textBytes + end - start > limits.commandText {
            text.append(contentsOf: input[start..<min(end, start + 256)])
            state = .discardLine(tagged(.commandTooLong))
            return .continue
        }
        let first = start
        let line = consumeLine(to: end)
        guard let literal = Self.literal(endingLine: line) else {
            guard !text.isEmpty else {
                return .event(.command(CommandText(text: line, messages: [])))
            }
            text.append(contentsOf: line)
            let command = CommandText(text: text[...], messages: messages)
            reset()
            return .event(.command(command))
        }
        let isMessage = announcesMessage(line)
        text.append(contentsOf: input[first...end])
        if isMessage { return offer(literal) }
        guard literal.size <= limits.literals - literalBytes,
            literal.isSynchronizing || literal.size <= limits.nonSynchronizing
        else {
            discard(literal, because: .literalTooLarge)
            return .continue
        }
        literalBytes += literal.size
        state = .literal(remaining: literal.size)
        return literal.isSynchronizing ? .event(.literalRequested) : .continue
    }

    private mutating func offer(_ literal: Literal) -> Step {
        if literal.size > limits.message {
            discard(literal, because: .messageTooLarge)
            return .continue
        }
        if messages.count >= limits.appendCount || literal.size > limits.appendTotal - messageBytes
        {
            discard(literal, because: .tooManyMessages)
            return .continue
        }
        state = .offered(literal)
        return .event(.messageOffered(size: literal.size))
    }

    /// Index of the next line feed.
    private mutating func lineEnd() -> Int? {
        let end = input.firstIndex(ofByte: .lf, from: max(start, scanned))
        scanned = end ?? input.count
        return end
    }

    /// Takes the line that ends with the line feed at `end`, without CR LF.
    private mutating func consumeLine(to end: Int) -> ArraySlice<UInt8> {
        let last = end > start && input[end - 1] == .cr ? end - 1 : end
        let line = input[start..<last]
        start = end + 1
        scanned = start
        return line
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        let end = min(input.count, start + min(count, input.count))
        let taken = input[start..<end]
        start = end
        scanned = max(scanned, end)
        return taken
    }

    /// `{n}`, `{n+}` or `~{n}` at the end of a line.
    ///
    /// RFC 9051 §4.3, RFC 7888 §3
    static func literal(endingLine line: ArraySlice<UInt8>) -> Literal? {
        guard line.last == 0x7D else { return nil }
        var index = line.endIndex - 2
        guard index >= line.startIndex else { return nil }
        let isSynchronizing = line[index] != 0x2B
        if !isSynchronizing { index -= 1 }
        let lastDigit = index
        while index >= line.startIndex, line[index].isDigit { index -= 1 }
        guard index >= line.startIndex, line[index] == 0x7B, index < lastDigit else { return nil }
        var digits = Cursor(line[(index + 1)...lastDigit])
        let size = digits.takeNumber(Int.self) ?? .max
        return Literal(size: size, isSynchronizing: isSynchronizing)
    }

    /// True when the literal at the end of `line` is a message and not APPEND's mailbox name.
    private func announcesMessage(_ line: ArraySlice<UInt8>) -> Bool {
        var cursor = Cursor(text.isEmpty ? line : text[...])
        _ = cursor.take { $0 != .space }
        guard cursor.take(.space), cursor.take("APPEND ") else { return false }
        return !text.isEmpty || cursor.peek != 0x7B
    }

    // MARK: Refusing

    private func tagged(_ refusal: Refusal) -> Refusal {
        var refusal = refusal
        refusal.tag = Parser.tag(of: text[...])
        return refusal
    }

    private mutating func discard(_ literal: Literal, because refusal: Refusal) {
        skip(literal, because: tagged(refusal))
        text = []
        messages = []
        message = []
        messageBytes = 0
    }

    private mutating func skip(_ literal: Literal, because refusal: Refusal) {
        if literal.isSynchronizing {
            // The client has not sent it and will not: the refusal ends the command.
            state = .refusing(refusal)
        } else if literal.size > limits.discarded - discardedBytes {
            state = .overrun
        } else {
            discardedBytes += literal.size
            state = .discardLiteral(refusal, remaining: literal.size)
        }
    }

    /// Reads past the rest of a refused command; false when more input is needed.
    private mutating func discardLine(_ refusal: Refusal) -> Bool {
        scanned = start
        let end = lineEnd()
        if (end ?? input.count) - start > limits.discarded - discardedBytes {
            state = .overrun
            return true
        }
        guard let end else {
            // Keep the tail, which may announce a literal.
            let dropped = max(0, input.count - start - 32)
            discardedBytes += dropped
            start += dropped
            return false
        }
        discardedBytes += end - start
        if let literal = Self.literal(endingLine: consumeLine(to: end)) {
            skip(literal, because: refusal)
        } else {
            state = .refusing(refusal)
        }
        return true
    }

    private mutating func reset() {
        state = .line
        text = []
        literalBytes = 0
        discardedBytes = 0
        messages = []
        message = []
        messageBytes = 0
    }
}
