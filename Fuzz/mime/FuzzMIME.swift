import MIME

// The oracle: nothing traps; what we write is what the grammar of body structures allows, and the
// sizes in it are the sizes of the sections; a parse gives the same twice; text that is decoded is
// UTF-8. The first byte chooses small limits, so that they are met.

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
    guard let mode = input.first else { return 0 }
    let message = Message(Array(input.dropFirst()), limits: limits(mode))
    let structure = message.bodyStructure()
    precondition(BodyStructure.withoutExtensions(structure) == message.body(), "BODY differs")
    precondition(message.parts.count <= message.limits.parts + 1, "too many parts")
    visit(message, [], depth: 0)
    _ = message.envelope()
    let summary = DeliverySummary(of: message)
    precondition(summary.preview.unicodeScalars.count <= 200, "long preview")
    precondition(summary.references.count <= DeliverySummary.maximumReferences, "references")
    _ = message.contains(SearchPattern("été"), in: .text)
    texts(Array(input.dropFirst()))
    return 0
}

func limits(_ mode: UInt8) -> MIMELimits {
    var limits = MIMELimits()
    if mode & 1 != 0 { limits.depth = 3 }
    if mode & 2 != 0 { limits.parts = 4 }
    if mode & 4 != 0 { limits.fields = 5 }
    if mode & 8 != 0 { limits.fieldBytes = 20 }
    if mode & 16 != 0 { limits.structureBytes = 100 }
    if mode & 32 != 0 { limits.parameters = 2 }
    return limits
}

/// Asks for every section that might be there and for some that are not.
func visit(_ message: Message, _ numbers: [UInt32], depth: Int) {
    guard let content = message.section(numbers) else { return }
    guard case .range(let range) = content else { preconditionFailure("in pieces") }
    precondition(range.upperBound <= message.bytes.count, "outside")
    if let header = message.section(numbers, .header), let text = message.section(numbers, .text) {
        precondition(header.count + text.count == range.count, "header and text \(numbers)")
        let kept = message.section(numbers, .headerFieldsNot([]))
        precondition((kept?.count ?? 0) <= header.count + 4, "fields grow")
        _ = message.section(numbers, .headerFields(["From", "x"]))
    }
    _ = message.section(numbers, .mime)
    _ = message.binary(numbers)
    guard depth < 6 else { return }
    for number in 0...4 as ClosedRange<UInt32> {
        let inner = numbers + [number]
        guard let part = message.section(inner), case .range(let body) = part else { continue }
        precondition(number != 0, "part zero")
        precondition(range.lowerBound <= body.lowerBound && body.upperBound <= range.upperBound)
        visit(message, inner, depth: depth + 1)
    }
}

/// The readers of single values.
func texts(_ bytes: [UInt8]) {
    let text = EncodedWord.decode(bytes[...])
    let encoded = EncodedWord.encode(text)
    precondition(EncodedWord.decode(Array(encoded.utf8)[...]) == text, "encoded-words differ")
    if let date = MailDate(parsing: bytes[...]), date.unixSeconds > -30_000_000_000 {
        precondition(MailDate(parsing: Array(date.text.utf8)[...]) == date, "date differs")
    }
    let folded = SearchText.fold(text)
    precondition(SearchPattern(text).matches(Array(folded.utf8)[...]), "folding differs")
    _ = BaseSubject(of: bytes[...])
    if let end = bytes.firstIndex(of: 0x0A) {
        _ = Charset(bytes[..<end]).decode(bytes[end...])
    }
}

@_cdecl("fuzz_mime_main")
public func entry(_ argc: CInt, _ argv: UnsafeMutableRawPointer) -> CInt {
    var count = argc
    var arguments = argv
    return withUnsafeMutablePointer(to: &arguments) {
        runDriver(&count, UnsafeMutableRawPointer($0), one)
    }
}
