import IMAP
import Testing

@Suite struct CommandReaderTests {
    /// What a session would do with each event, written down.
    static func play(
        _ input: [UInt8],
        segment: Int,
        limits: CommandLimits = CommandLimits(),
        refusing: Bool = false
    ) -> [String] {
        var reader = CommandReader(limits: limits)
        var log: [String] = []
        var rest = input[...]
        while !rest.isEmpty {
            reader.feed(Array(rest.prefix(segment)))
            rest = rest.dropFirst(segment)
            while let event = reader.next() {
                switch event {
                case .command(let command):
                    log.append("command \(String(decoding: command.text, as: UTF8.self))")
                    log += command.messages.map { "message \(String(decoding: $0, as: UTF8.self))" }
                case .literalRequested: log.append("go")
                case .messageOffered(let size):
                    log.append("offer \(size)")
                    if refusing {
                        reader.refuseMessage(Refusal(.no, .overQuota, "full"))
                    } else if reader.acceptMessage() {
                        log.append("go")
                    }
                case .refused(let refusal): log.append("\(refusal.tag ?? "*") \(refusal.text)")
                case .overrun: log.append("overrun")
                case .line(let line): log.append("line \(String(decoding: line, as: UTF8.self))")
                case .overlongLine: log.append("overlong")
                }
            }
        }
        return log
    }

    static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(arguments: [
        ("a NOOP\r\nb NOOP\n", ["command a NOOP", "command b NOOP"]),
        ("a LOGIN {2}\r\nxy {1+}\r\nz\r\n", ["go", "command a LOGIN {2}\r\nxy {1+}\r\nz"]),
        (
            "a APPEND b (\\Seen) {3}\r\nabc {4+}\r\ndefg\r\nz NOOP\r\n",
            [
                "offer 3", "go", "offer 4", "command a APPEND b (\\Seen) {3}\r\n {4+}\r\n",
                "message abc", "message defg", "command z NOOP",
            ]
        ),
        (
            "a append {1+}\r\nb ~{2+}\r\nhi\r\n",
            ["offer 2", "command a append {1+}\r\nb ~{2+}\r\n", "message hi"]
        ),
        ("a SEARCH TEXT \"x{3}\"\r\n", ["command a SEARCH TEXT \"x{3}\""]),
        ("a X {}\r\n", ["command a X {}"]),
        ("a X {99999999999999999999}\r\nb NOOP\r\n", ["a Literal too large", "command b NOOP"]),
        ("a X {99999999999999999999+}\r\nb NOOP\r\n", ["overrun"]),
    ])
    func `Commands come out the same however the bytes are cut`(
        input: String,
        expected: [String]
    ) {
        for segment in [1, 2, 3, 7, 10_000] {
            #expect(Self.play(Self.bytes(input), segment: segment) == expected)
        }
    }

    @Test func `A command line that is too long is answered with its tag and read past`() {
        let long = "tag1 NOOP " + String(repeating: "x", count: 300) + "\r\nb NOOP\r\n"
        var limits = CommandLimits()
        limits.commandText = 100
        for segment in [1, 50, 101, 1_000] {
            #expect(
                Self.play(Self.bytes(long), segment: segment, limits: limits)
                    == ["tag1 Command too long", "command b NOOP"]
            )
        }
    }

    @Test func `A literal at the end of a line that is too long is read past as well`() {
        let long =
            "t X " + String(repeating: "x", count: 300) + " {7+}\r\nb NOOP\r {3}\r\nc NOOP\r\n"
        var limits = CommandLimits()
        limits.commandText = 100
        for segment in [1, 50, 1_000] {
            // The seven bytes hide what looks like a command; ` {3}` then asks to wait.
            let log = Self.play(Self.bytes(long), segment: segment, limits: limits)
            #expect(log == ["t Command too long", "command c NOOP"])
        }
    }

    @Test func `A refused message is read past when it comes unasked`() {
        let input = Self.bytes("a APPEND b {5+}\r\nabcde {2+}\r\nhi\r\nb NOOP\r\n")
        for segment in [1, 4, 1_000] {
            #expect(
                Self.play(input, segment: segment, refusing: true)
                    == ["offer 5", "a full", "command b NOOP"]
            )
        }
    }

    @Test func `A refused message that was only announced ends the command at once`() {
        #expect(
            Self.play(Self.bytes("a APPEND b {5}\r\nb NOOP\r\n"), segment: 3, refusing: true)
                == ["offer 5", "a full", "command b NOOP"]
        )
    }

    @Test func `A stranger may not send large literals or messages`() {
        let log = Self.play(
            Self.bytes("a LOGIN {4097+}\r\n" + String(repeating: "x", count: 4_097) + "\r\n"),
            segment: 1_000,
            limits: .beforeLogin
        )
        #expect(log == ["a Literal too large"])
        #expect(
            Self.play(Self.bytes("a APPEND b {10}\r\n"), segment: 5, limits: .beforeLogin)
                == ["a Message too large"]
        )
        #expect(
            Self.play(Self.bytes("a LOGIN {70000+}\r\n"), segment: 5, limits: .beforeLogin)
                == ["overrun"]
        )
    }

    @Test func `An endless line never fills memory`() {
        var reader = CommandReader(limits: .beforeLogin)
        let chunk = [UInt8](repeating: 0x41, count: 4_096)
        var ended = false
        for _ in 0..<100 {
            reader.feed(chunk)
            while let event = reader.next() { ended = ended || event == .overrun }
            #expect(reader.bufferedBytes <= 8_192 + 4_096 + 256)
        }
        #expect(ended)
    }

    @Test func `The line after IDLE is not taken for a command`() {
        var reader = CommandReader()
        reader.feed(Self.bytes("a IDLE\r\nDONE\r\nb NOOP\r\n"))
        guard case .command = reader.next() else {
            Issue.record("no command")
            return
        }
        reader.expectLine()
        #expect(reader.next() == .line(Self.bytes("DONE")[...]))
        guard case .command = reader.next() else {
            Issue.record("no command")
            return
        }
    }

    @Test func `What was sent before TLS is forgotten`() {
        var reader = CommandReader()
        reader.feed(Self.bytes("a STARTTLS\r\nb LOGIN x y\r\n"))
        _ = reader.next()
        reader.discardInput()
        #expect(reader.next() == nil)
        #expect(reader.isAtRest)
    }
}
