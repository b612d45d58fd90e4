import Mail
import Wire

/// Reads the arguments of a command, production by production.
///
/// Every failure is a `Refusal`, in nearly all cases BAD.
///
/// RFC 9051 §9
struct Parser {
    var cursor: Cursor
    let encoding: MailboxNameEncoding
    var messages: ArraySlice<[UInt8]>

    init(
        _ text: ArraySlice<UInt8>,
        encoding: MailboxNameEncoding = .modifiedUTF7,
        messages: [[UInt8]] = []
    ) {
        cursor = Cursor(text)
        self.encoding = encoding
        self.messages = messages[...]
    }

    var peek: UInt8? { cursor.peek }

    // MARK: Punctuation

    mutating func take(_ byte: Punctuation) -> Bool { cursor.take(byte.rawValue) }

    mutating func expect(_ byte: Punctuation) throws(Refusal) {
        guard take(byte) else { throw .bad("Syntax error: unexpected character") }
    }

    /// The one space between arguments; more of them are forgiven.
    mutating func space() throws(Refusal) {
        guard cursor.take(.space) else { throw .bad("Missing argument") }
        while cursor.take(.space) {}
    }

    /// The command must end here; a trailing space is forgiven.
    mutating func end() throws(Refusal) {
        while cursor.take(.space) {}
        guard cursor.isAtEnd else { throw .bad("Too many arguments") }
    }

    /// Takes `word` when it stands here as a whole atom.
    mutating func takeWord(_ word: StaticString) -> Bool {
        var ahead = cursor
        guard ahead.take(word) else { return false }
        if let following = ahead.peek, Self.isAtomByte(following) { return false }
        cursor = ahead
        return true
    }

    /// Elements between parentheses, separated by spaces; the list may be empty.
    mutating func list(_ element: (inout Parser) throws(Refusal) -> Void) throws(Refusal) {
        try expect(.open)
        if take(.close) { return }
        while true {
            try element(&self)
            if take(.close) { return }
            try space()
        }
    }

    // MARK: Words

    /// `ATOM-CHAR`.
    @inline(__always)
    static func isAtomByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x22, 0x25, 0x28, 0x29, 0x2A, 0x5C, 0x5D, 0x7B, 0x7F...: false
        default: true
        }
    }

    /// The tag of a command, or nil when it does not begin with one.
    ///
    /// RFC 9051 §9: `tag = 1*<any ASTRING-CHAR except "+">`
    static func tag(of text: ArraySlice<UInt8>) -> String? {
        var cursor = Cursor(text)
        let tag = cursor.take(upTo: 257) { (isAtomByte($0) || $0 == 0x5D) && $0 != 0x2B }
        guard !tag.isEmpty, tag.count <= 256, cursor.isAtEnd || cursor.peek == .space else {
            return nil
        }
        return String(lossyUTF8: tag)
    }

    mutating func atomBytes() throws(Refusal) -> ArraySlice<UInt8> {
        let atom = cursor.take(while: Self.isAtomByte)
        guard !atom.isEmpty else { throw .bad("Syntax error: atom expected") }
        return atom
    }

    mutating func atom() throws(Refusal) -> String {
        String(lossyUTF8: try atomBytes())
    }

    /// An atom in upper case, to be compared with keywords of the grammar.
    mutating func keyword() throws(Refusal) -> String {
        let bytes = try atomBytes()
        guard bytes.count <= 64 else { throw .bad("Syntax error: word too long") }
        return String(decoding: bytes.map(\.uppercased), as: UTF8.self)
    }

    mutating func number<Number: FixedWidthInteger>(
        _: Number.Type = Number.self
    ) throws(Refusal) -> Number {
        guard let number = cursor.takeNumber(Number.self) else {
            throw .bad("Syntax error: number expected")
        }
        return number
    }

    mutating func nonZero() throws(Refusal) -> UInt32 {
        let value = try number(UInt32.self)
        guard value > 0 else { throw .bad("Syntax error: number must not be zero") }
        return value
    }

    /// A mod-sequence; zero only where the command allows it.
    ///
    /// RFC 7162 §7
    mutating func modSeq() throws(Refusal) -> ModSeq {
        ModSeq(rawValue: try number(Int64.self))
    }

    // MARK: Strings

    /// `string`: quoted or literal.
    mutating func string() throws(Refusal) -> [UInt8] {
        switch cursor.peek {
        case UInt8.doubleQuote: return try quoted()
        case 0x7B: return try literal()
        default: throw .bad("Syntax error: string expected")
        }
    }

    /// `astring`: an atom that may hold `]`, or a string.
    mutating func astring() throws(Refusal) -> [UInt8] {
        if peek == .doubleQuote || peek == 0x7B { return try string() }
        let atom = cursor.take { Self.isAtomByte($0) || $0 == 0x5D }
        guard !atom.isEmpty else { throw .bad("Syntax error: string expected") }
        return Array(atom)
    }

    /// `nstring`: a string or NIL.
    mutating func nstring() throws(Refusal) -> [UInt8]? {
        takeWord("NIL") ? nil : try string()
    }

    /// An astring that must be well-formed UTF-8.
    mutating func text() throws(Refusal) -> String {
        guard let text = String(utf8: try astring()) else { throw .bad("Malformed UTF-8") }
        return text
    }

    /// `"…"` with its escapes undone.
    private mutating func quoted() throws(Refusal) -> [UInt8] {
        _ = cursor.next()
        var value: [UInt8] = []
        while true {
            value += cursor.take {
                $0 != .doubleQuote && $0 != .backslash && $0 != .cr && $0 != .lf && $0 != 0
            }
            switch cursor.next() {
            case UInt8.doubleQuote: return value
            case UInt8.backslash:
                guard let escaped = cursor.next(), escaped == .doubleQuote || escaped == .backslash
                else { throw .bad("Syntax error: invalid escape in quoted string") }
                value.append(escaped)
            default: throw .bad("Syntax error: quoted string not closed")
            }
        }
    }

    private mutating func literal() throws(Refusal) -> [UInt8] {
        let size = try literalSize()
        guard let bytes = cursor.take(count: size) else { throw .bad("Syntax error in literal") }
        guard bytes.firstIndex(ofByte: 0) == nil else { throw .bad("NUL in literal") }
        return Array(bytes)
    }

    /// `{n}` or `{n+}` and the line end after it.
    mutating func literalSize() throws(Refusal) -> Int {
        guard cursor.take(0x7B), let size = cursor.takeNumber(Int.self) else {
            throw .bad("Syntax error in literal")
        }
        _ = cursor.take(0x2B)
        guard cursor.take(0x7D) else { throw .bad("Syntax error in literal") }
        _ = cursor.take(.cr)
        guard cursor.take(.lf) else { throw .bad("Syntax error in literal") }
        return size
    }

    // MARK: Mail words

    mutating func mailbox() throws(Refusal) -> MailboxName {
        let bytes = try astring()
        guard let name = MailboxName(wire: bytes, encoding: encoding) else {
            throw Refusal(.no, .cannot, "Invalid mailbox name")
        }
        return name
    }

    /// A flag that a client may set; `\Recent` and unknown system flags are refused.
    ///
    /// RFC 9051 §2.3.2
    mutating func flag() throws(Refusal) -> Flag {
        guard cursor.take(UInt8.backslash) else {
            guard let keyword = Keyword(try atom()) else { throw .bad("Invalid keyword") }
            return .keyword(keyword)
        }
        switch try keyword() {
        case "SEEN": return .seen
        case "ANSWERED": return .answered
        case "FLAGGED": return .flagged
        case "DELETED": return .deleted
        case "DRAFT": return .draft
        default: throw .bad("Invalid system flag")
        }
    }

    mutating func flagList() throws(Refusal) -> [Flag] {
        var flags: [Flag] = []
        try list { (parser) throws(Refusal) in flags.append(try parser.flag()) }
        return flags
    }
}

/// Punctuation of the grammar by name.
enum Punctuation: UInt8 {
    case open = 0x28
    case close = 0x29
    case openBracket = 0x5B
    case closeBracket = 0x5D
    case openAngle = 0x3C
    case closeAngle = 0x3E
    case comma = 0x2C
    case colon = 0x3A
    case dot = 0x2E
    case star = 0x2A
    case dollar = 0x24
    case tilde = 0x7E
    case equals = 0x3D
    case hyphen = 0x2D
    case quote = 0x22
    case backslash = 0x5C
}
