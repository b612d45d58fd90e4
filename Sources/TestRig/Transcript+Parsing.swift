extension Transcript {
    /// Reads the format; see `Transcript`.
    package init(parsing text: String, name: String) throws {
        var givens: [String] = []
        var steps: [TranscriptStep] = []
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        for (index, line) in lines.enumerated() {
            let number = index + 1
            func refuse(_ reason: String) -> TranscriptError {
                .syntax(file: name, line: number, reason: reason)
            }
            if line.isEmpty || line.hasPrefix("#") { continue }
            if line.hasPrefix("given ") {
                guard steps.isEmpty else { throw refuse("given after the dialogue began") }
                givens.append(String(line.dropFirst(6)))
            } else if line.hasPrefix("then ") {
                let fact = String(line.dropFirst(5))
                steps.append(TranscriptStep(action: .check(fact), connection: 1, line: number))
            } else {
                guard let step = try Self.dialogue(line, number, name) else {
                    throw refuse("neither a comment nor a statement")
                }
                steps.append(step)
            }
        }
        guard lines.first?.hasPrefix("#") == true else {
            throw TranscriptError.syntax(
                file: name,
                line: 1,
                reason: "the first line must say why, with a section"
            )
        }
        self.init(name: name, givens: givens, steps: steps)
    }

    // [digit] ("S" / "C") (":" / "~" / "*" / "?" / "!") [" " text]
    private static func dialogue(
        _ line: Substring,
        _ number: Int,
        _ file: String
    ) throws -> TranscriptStep? {
        var rest = line
        var connection = 1
        if let digit = rest.first?.wholeNumberValue, digit > 0 {
            connection = digit
            rest.removeFirst()
        }
        let kind = rest.prefix(2)
        rest = rest.dropFirst(2)
        if rest.first == " " { rest.removeFirst() }
        func pieces() throws -> (pieces: [TranscriptPiece], endsLine: Bool) {
            do {
                return try TranscriptText.parse(rest)
            } catch {
                throw TranscriptError.syntax(file: file, line: number, reason: error.reason)
            }
        }

        let action: TranscriptStep.Action
        switch kind {
        case "C:":
            let text = try pieces()
            action = .send(text.pieces, endsLine: text.endsLine)
        case "C!": action = .perform(String(rest))
        case "S:": action = .line(try pieces().pieces)
        case "S?": action = .anyOrder(try pieces().pieces)
        case "S*": action = .skip(upTo: try pieces().pieces)
        case "S~": action = .pattern(String(rest))
        case "S!" where rest == "closed": action = .closed
        default: return nil
        }
        return TranscriptStep(action: action, connection: connection, line: number)
    }
}

/// The escapes of `C:` and `S:` lines.
enum TranscriptText {
    struct Malformed: Error {
        let reason: String
    }

    static func parse(
        _ text: Substring
    ) throws(Malformed) -> (pieces: [TranscriptPiece], endsLine: Bool) {
        var pieces: [TranscriptPiece] = []
        var bytes: [UInt8] = []
        var endsLine = true
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\\": endsLine = try escape(&rest, into: &bytes)
            case "$":
                if rest.first == "$" {
                    rest.removeFirst()
                    bytes.append(0x24)
                } else {
                    let name = rest.prefix { $0.properties.isAlphabetic || $0 == "_" }
                    rest = rest.dropFirst(name.count)
                    guard !name.isEmpty else { throw Malformed(reason: "write $$ for a dollar") }
                    if !bytes.isEmpty { pieces.append(.bytes(bytes)) }
                    bytes = []
                    pieces.append(.capture(String(name)))
                }
            default: bytes.append(contentsOf: Array(String(scalar).utf8))
            }
        }
        if !bytes.isEmpty { pieces.append(.bytes(bytes)) }
        return (pieces, endsLine)
    }

    // Returns false for `\c`: the line does not end here.
    private static func escape(
        _ rest: inout Substring.UnicodeScalarView,
        into bytes: inout [UInt8]
    ) throws(Malformed) -> Bool {
        switch rest.popFirst() {
        case "r": bytes.append(0x0D)
        case "n": bytes.append(0x0A)
        case "0": bytes.append(0)
        case "\\": bytes.append(0x5C)
        case "c" where rest.isEmpty: return false
        case "x":
            guard let value = UInt8(String(rest.prefix(2)), radix: 16), rest.count >= 2 else {
                throw Malformed(reason: "\\x wants two hexadecimal digits")
            }
            rest = rest.dropFirst(2)
            bytes.append(value)
        case "{":
            let inside = rest.prefix { $0 != "}" }
            guard let star = inside.lastIndex(of: "*"), inside.endIndex < rest.endIndex,
                let count = Int(String(inside[inside.index(after: star)...])), count >= 0
            else { throw Malformed(reason: "\\{text*count} wants a text and a count") }
            let unit = Array(String(inside[..<star]).utf8)
            for _ in 0..<count { bytes.append(contentsOf: unit) }
            rest = rest[inside.endIndex...].dropFirst()
        default: throw Malformed(reason: "unknown escape")
        }
        return true
    }
}
