import Wire

/// A command line with its verb recognised and its arguments still to be parsed.
///
/// MAIL and RCPT parse theirs when the conversation knows which extensions are in force.
///
/// RFC 5321 §4.1.1
enum Command: Equatable {
    case ehlo(ArraySlice<UInt8>)
    case helo(ArraySlice<UInt8>)
    case lhlo(ArraySlice<UInt8>)
    case mail(ArraySlice<UInt8>)
    case rcpt(ArraySlice<UInt8>)
    case data(ArraySlice<UInt8>)
    case bdat(ArraySlice<UInt8>)
    case rset(ArraySlice<UInt8>)
    case noop
    case vrfy(ArraySlice<UInt8>)
    case expn(ArraySlice<UInt8>)
    case help
    case quit(ArraySlice<UInt8>)
    case auth(ArraySlice<UInt8>)
    case startTLS(ArraySlice<UInt8>)

    /// Nil for a verb that nobody defined; `line` is without its CR LF.
    init?(_ line: ArraySlice<UInt8>) {
        var cursor = Cursor(line)
        let verb = cursor.take { $0.isAlpha }
        let separator = cursor.take { $0.isBlank }
        guard cursor.isAtEnd || !separator.isEmpty else { return nil }
        var rest = cursor.rest
        while let last = rest.last, last.isBlank { rest.removeLast() }

        switch verb.count {
        case 4:
            if verb.equalsIgnoringCase("MAIL") {
                self = .mail(rest)
            } else if verb.equalsIgnoringCase("RCPT") {
                self = .rcpt(rest)
            } else if verb.equalsIgnoringCase("DATA") {
                self = .data(rest)
            } else if verb.equalsIgnoringCase("BDAT") {
                self = .bdat(rest)
            } else if verb.equalsIgnoringCase("EHLO") {
                self = .ehlo(rest)
            } else if verb.equalsIgnoringCase("HELO") {
                self = .helo(rest)
            } else if verb.equalsIgnoringCase("LHLO") {
                self = .lhlo(rest)
            } else if verb.equalsIgnoringCase("RSET") {
                self = .rset(rest)
            } else if verb.equalsIgnoringCase("NOOP") {
                self = .noop
            } else if verb.equalsIgnoringCase("QUIT") {
                self = .quit(rest)
            } else if verb.equalsIgnoringCase("VRFY") {
                self = .vrfy(rest)
            } else if verb.equalsIgnoringCase("EXPN") {
                self = .expn(rest)
            } else if verb.equalsIgnoringCase("HELP") {
                self = .help
            } else if verb.equalsIgnoringCase("AUTH") {
                self = .auth(rest)
            } else {
                return nil
            }
        case 8 where verb.equalsIgnoringCase("STARTTLS"): self = .startTLS(rest)
        default: return nil
        }
    }
}

/// The argument of EHLO, HELO and LHLO.
///
/// Wider than the grammar by the underscore that real hosts have in their names; narrow enough to
/// stand in a Received field as it came.
///
/// RFC 5321 §4.1.1.1, §4.1.3
enum HelloArgument {
    static func parse(_ bytes: ArraySlice<UInt8>) -> String? {
        guard !bytes.isEmpty, bytes.count <= 255,
            bytes.allSatisfy({
                $0.isAlpha || $0.isDigit || $0 >= 0x80 || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
                    || $0 == 0x3A || $0 == 0x5B || $0 == 0x5D
            })
        else { return nil }
        return String(utf8: bytes)
    }
}

/// BDAT: the next octets are a chunk of the message.
///
///     bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ]
///
/// RFC 3030 §2
struct BdatCommand: Equatable {
    let size: Int
    let isLast: Bool

    init?(_ arguments: ArraySlice<UInt8>) {
        var cursor = Cursor(arguments)
        guard let size: Int = cursor.takeNumber() else { return nil }
        self.size = size
        if cursor.isAtEnd {
            isLast = false
            return
        }
        guard !cursor.take(while: { $0.isBlank }).isEmpty, cursor.take("LAST"), cursor.isAtEnd
        else { return nil }
        isLast = true
    }
}
