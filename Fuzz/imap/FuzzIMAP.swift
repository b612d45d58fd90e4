import IMAP

// The oracle: nothing traps, the reader's memory stays under its limits, and the events are the
// same when the bytes come whole, in pieces and one by one.

typealias One = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ argc: UnsafeMutablePointer<CInt>,
    _ argv: UnsafeMutableRawPointer,
    _ one: One
) -> CInt

@_cdecl("LLVMFuzzerTestOneInput")
public func one(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard let first = input.first else { return 0 }
    let rest = Array(input.dropFirst())
    let whole = events(rest, segment: max(1, rest.count), mode: first)
    precondition(whole == events(rest, segment: 1, mode: first), "byte by byte differs")
    precondition(
        whole == events(rest, segment: Int(first % 13) + 2, mode: first),
        "cut in pieces differs"
    )
    return 0
}

/// Plays the session's part: every event in words, every command parsed.
func events(_ input: [UInt8], segment: Int, mode: UInt8) -> [String] {
    var limits = CommandLimits(commandText: 200, literals: 100, message: 64, appendTotal: 128)
    limits.discarded = 400
    limits.appendCount = 3
    limits.exchangeLine = 50
    if mode & 1 != 0 { limits.nonSynchronizing = 20 }
    var reader = CommandReader(limits: limits)
    var log: [String] = []
    var rest = input[...]
    while !rest.isEmpty {
        reader.feed(Array(rest.prefix(segment)))
        rest = rest.dropFirst(segment)
        while let event = reader.next() {
            switch event {
            case .command(let command):
                log.append("command \(command)")
                parse(command, mode)
                if mode & 2 != 0 { reader.expectLine() }
            case .messageOffered(let size):
                log.append("offer \(size)")
                if mode & 4 != 0 {
                    reader.refuseMessage(Refusal(.no, .overQuota, "full"))
                } else {
                    log.append("wait \(reader.acceptMessage())")
                }
            case .line(let line): log.append("line \(Array(line))")
            case .literalRequested, .refused, .overrun, .overlongLine: log.append("\(event)")
            }
        }
        precondition(reader.bufferedBytes <= 200 + 100 + 128 + 256 + segment, "buffer grows")
    }
    return log
}

func parse(_ text: CommandText, _ mode: UInt8) {
    let encoding: MailboxNameEncoding = mode & 8 != 0 ? .utf8 : .modifiedUTF7
    guard let command = try? TaggedCommand(parsing: text, encoding: encoding) else { return }
    // A mailbox name that was read must read again as it is written.
    if case .delete(let name) = command.command {
        let wire = name.bytes(in: encoding)
        precondition(MailboxName(wire: wire, encoding: encoding) == name, "name changes")
    }
    if case .search(let search) = command.command { _ = search.key.mentionsModSeq }
    if case .fetch(let fetch) = command.command {
        var writer = ResponseWriter()
        for item in fetch.items { writer.beginSection(item, size: 0) }
        _ = fetch.set.numbers(last: 7)
    }
}

@_cdecl("fuzz_imap_main")
public func entry(_ argc: CInt, _ argv: UnsafeMutableRawPointer) -> CInt {
    var count = argc
    var arguments = argv
    return withUnsafeMutablePointer(to: &arguments) {
        runDriver(&count, UnsafeMutableRawPointer($0), one)
    }
}
