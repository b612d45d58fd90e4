import Wire

/// Plays a transcript without touching a socket: says what to do next, and takes what arrived.
///
/// The loop that drives it is `Transcript.play`; a pure server can be driven the same way.
package struct TranscriptPlayer {
    package enum Action: Equatable {
        case send([UInt8], on: Int)
        /// Hand what the server sent next to `received`, or call `closed`.
        case receive(on: Int)
        case perform(String, on: Int)
        case check(String)
        case finished
    }

    private struct Incoming {
        var bytes: [UInt8] = []
        var isClosed = false
    }

    private let transcript: Transcript
    private let segmentation: Segmentation
    private var index = 0
    private var outgoing: [(bytes: [UInt8], connection: Int)] = []
    private var incoming: [Int: Incoming] = [:]
    private var captures: [String: [UInt8]] = [:]
    private var anyOrder: [[UInt8]] = []

    package init(_ transcript: Transcript, _ segmentation: Segmentation) {
        self.transcript = transcript
        self.segmentation = segmentation
    }

    /// The server sent `bytes`.
    package mutating func received(_ bytes: [UInt8], on connection: Int) {
        incoming[connection, default: Incoming()].bytes += bytes
    }

    /// The server ended the connection.
    package mutating func closed(on connection: Int) {
        incoming[connection, default: Incoming()].isClosed = true
    }

    /// What to do next.
    ///
    /// - Throws: `TranscriptFailure` when the server said something else.
    package mutating func next() throws -> Action {
        while true {
            if !outgoing.isEmpty {
                let first = outgoing.removeFirst()
                return .send(first.bytes, on: first.connection)
            }
            guard index < transcript.steps.count else {
                try expectSilence()
                return .finished
            }
            let step = transcript.steps[index]
            switch step.action {
            case .send: try queueSends()
            case .perform(let verb):
                index += 1
                return .perform(verb, on: step.connection)
            case .check(let fact):
                index += 1
                return .check(fact)
            case .closed:
                guard incoming[step.connection]?.isClosed == true else {
                    return .receive(on: step.connection)
                }
                if let extra = takeLine(step.connection) {
                    throw failure(step, expected: "the end of the connection", got: extra)
                }
                index += 1
            case .line, .anyOrder, .pattern, .skip:
                guard let line = takeLine(step.connection) else {
                    if incoming[step.connection]?.isClosed == true {
                        throw TranscriptFailure(
                            transcript: transcript.name,
                            line: step.line,
                            expected: try describe(step.action),
                            got: "the end of the connection"
                        )
                    }
                    return .receive(on: step.connection)
                }
                try match(line, step)
            }
        }
    }

    // MARK: Sending

    private mutating func queueSends() throws {
        var pending: [(bytes: [UInt8], connection: Int)] = []
        while index < transcript.steps.count,
            case .send(let pieces, let endsLine) = transcript.steps[index].action
        {
            let step = transcript.steps[index]
            var bytes = try value(of: pieces, step)
            if endsLine { bytes.appendCRLF() }
            if segmentation == .whole, let last = pending.last,
                last.connection == step.connection
            {
                pending[pending.count - 1].bytes += bytes
            } else {
                pending.append((bytes, step.connection))
            }
            index += 1
        }
        if segmentation == .byByte {
            pending = pending.flatMap { send in send.bytes.map { ([$0], send.connection) } }
        }
        outgoing = pending
    }

    // MARK: Matching

    private mutating func match(_ line: [UInt8], _ step: TranscriptStep) throws {
        switch step.action {
        case .line(let pieces):
            let expected = try value(of: pieces, step)
            guard line == expected else {
                throw failure(step, expected: Self.shown(expected), got: line)
            }
            index += 1
        case .skip(let pieces):
            if line.starts(with: try value(of: pieces, step)) { index += 1 }
        case .pattern(let pattern):
            try match(line, pattern: pattern, step)
            index += 1
        case .anyOrder:
            if anyOrder.isEmpty {
                var position = index
                while position < transcript.steps.count,
                    case .anyOrder(let pieces) = transcript.steps[position].action,
                    transcript.steps[position].connection == step.connection
                {
                    anyOrder.append(try value(of: pieces, step))
                    position += 1
                }
            }
            guard let found = anyOrder.firstIndex(of: line) else {
                let expected = anyOrder.map(Self.shown).joined(separator: " | ")
                throw failure(step, expected: "one of \(expected)", got: line)
            }
            anyOrder.remove(at: found)
            index += 1
        case .send, .closed, .perform, .check: break
        }
    }

    private mutating func match(
        _ line: [UInt8],
        pattern: String,
        _ step: TranscriptStep
    ) throws {
        var expression = ""
        var names: [String] = []
        var rest = pattern[...]
        while let character = rest.popFirst() {
            let name = rest.prefix { $0.isLetter || $0 == "_" }
            guard character == "$", !name.isEmpty else {
                expression.append(character)
                continue
            }
            rest = rest.dropFirst(name.count)
            if let known = captures[String(name)] {
                for byte in known {
                    let digits = String(byte, radix: 16)
                    expression += "\\x" + (digits.count == 1 ? "0" : "") + digits
                }
            } else if let earlier = names.firstIndex(of: String(name)) {
                expression += "\\\(earlier + 1)"
            } else {
                names.append(String(name))
                expression += "(\\S+?)"
            }
        }
        let text = String(decoding: line, as: UTF8.self)
        guard let found = try Regex(expression).wholeMatch(in: text) else {
            throw failure(step, expected: "the pattern \(pattern)", got: line)
        }
        // Only our own groups count when the pattern has none of its own before them.
        for (position, name) in names.enumerated() where position + 1 < found.output.count {
            if let value = found.output[position + 1].substring {
                captures[name] = Array(value.utf8)
            }
        }
    }

    private mutating func takeLine(_ connection: Int) -> [UInt8]? {
        guard var held = incoming[connection] else { return nil }
        if let end = held.bytes.firstIndex(ofByte: .lf) {
            var line = Array(held.bytes[..<end])
            if line.last == .cr { line.removeLast() }
            held.bytes.removeFirst(end + 1)
            incoming[connection] = held
            return line
        }
        guard held.isClosed, !held.bytes.isEmpty else { return nil }
        let line = held.bytes
        incoming[connection]?.bytes = []
        return line
    }

    private mutating func expectSilence() throws {
        for connection in incoming.keys.sorted() {
            if let extra = takeLine(connection), let last = transcript.steps.last {
                throw failure(last, expected: "nothing more on \(connection)", got: extra)
            }
        }
    }

    // MARK: Text

    private func value(of pieces: [TranscriptPiece], _ step: TranscriptStep) throws -> [UInt8] {
        var result: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .bytes(let bytes): result += bytes
            case .capture(let name):
                guard let captured = captures[name] else {
                    throw TranscriptError.syntax(
                        file: transcript.name,
                        line: step.line,
                        reason: "$\(name) was not captured before"
                    )
                }
                result += captured
            }
        }
        return result
    }

    private func describe(_ action: TranscriptStep.Action) throws -> String {
        switch action {
        case .line(let pieces), .anyOrder(let pieces), .skip(let pieces):
            pieces.map { piece in
                switch piece {
                case .bytes(let bytes): Self.shown(bytes)
                case .capture(let name): captures[name].map(Self.shown) ?? "$\(name)"
                }
            }.joined()
        case .pattern(let pattern): "the pattern \(pattern)"
        case .send, .closed, .perform, .check: ""
        }
    }

    private func failure(
        _ step: TranscriptStep,
        expected: String,
        got: [UInt8]
    ) -> TranscriptFailure {
        TranscriptFailure(
            transcript: transcript.name,
            line: step.line,
            expected: expected,
            got: Self.shown(got)
        )
    }

    private static func shown(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

/// The server said something else than the transcript.
package struct TranscriptFailure: Error, CustomStringConvertible {
    package let transcript: String
    package let line: Int
    package let expected: String
    package let got: String

    package var description: String {
        "\(transcript):\(line): expected \"\(expected)\", got \"\(got)\""
    }
}
