import Wire

/// One element of an address list as ENVELOPE shows it.
///
/// RFC 9051 §7.5.2
package enum AddressListItem: Hashable, Sendable {
    case mailbox(HeaderMailbox)
    case groupStart([UInt8])
    case groupEnd
}

/// A mailbox in a header field, without quotes and comments, its octets otherwise as they were sent.
///
/// RFC 5322 §3.4
package struct HeaderMailbox: Hashable, Sendable {
    /// The display name, or an old-style comment behind the address; encoded-words not decoded.
    package var name: [UInt8]?
    /// The source route, which only ancient mail has.
    package var route: [UInt8]?
    package var localPart: [UInt8] = []
    /// Empty when the address has none.
    package var domain: [UInt8] = []
}

/// Reads the value of an address field, however ugly.
///
/// Linear: each turn of the loop takes at least one byte, and nothing is read twice.
///
/// RFC 5322 §3.4, §4.4
struct AddressListParser {
    private var lexer: Lexer
    private var items: [AddressListItem] = []
    private var inGroup = false
    /// The phrase so far: words joined by one space, quotes removed.
    private var phrase: [UInt8] = []
    /// The same words as a local part or domain: no blanks between them.
    private var joined: [UInt8] = []
    /// What `joined` was before the last `@`; nil when there was none.
    private var localPart: [UInt8]?
    private var comment: Range<Int>?

    private init(_ bytes: [UInt8], _ range: Range<Int>) {
        lexer = Lexer(bytes, range)
    }

    static func parse(_ bytes: [UInt8], _ range: Range<Int>) -> [AddressListItem] {
        var parser = AddressListParser(bytes, range)
        parser.list()
        return parser.items
    }

    private mutating func list() {
        while true {
            let before = lexer.position
            let found = lexer.skipBlanksAndComments()
            if let found { comment = found }
            let wasBlank = lexer.position > before
            guard let byte = lexer.peek else { break }
            switch byte {
            case 0x2C:  // ,
                lexer.position += 1
                finish()
            case 0x3B:  // ;
                lexer.position += 1
                finish()
                endGroup()
            case 0x3C:  // <
                angleAddress()
            case 0x3A where !inGroup && localPart == nil:  // :
                lexer.position += 1
                items.append(.groupStart(phrase))
                inGroup = true
                clear()
            case 0x40:  // @
                lexer.position += 1
                separate(wasBlank)
                phrase.append(byte)
                if localPart == nil {
                    localPart = joined
                    joined = []
                } else {
                    joined.append(byte)
                }
            case .doubleQuote:
                separate(wasBlank)
                let start = phrase.count
                lexer.takeQuotedString(into: &phrase)
                joined.append(contentsOf: phrase[start...])
            case 0x5B where localPart != nil && joined.isEmpty:  // [
                let literal = takeDomainLiteral()
                phrase.append(contentsOf: lexer.bytes[literal])
                joined.append(contentsOf: lexer.bytes[literal])
            default:
                separate(wasBlank)
                var word = lexer.take { !Self.isSpecial($0) }
                if word.isEmpty {
                    word = lexer.position..<(lexer.position + 1)
                    lexer.position += 1
                }
                phrase.append(contentsOf: lexer.bytes[word])
                joined.append(contentsOf: lexer.bytes[word])
            }
        }
        finish()
        endGroup()
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x2C, 0x3B, 0x3C, 0x3A, 0x40, 0x22, 0x28, 0x20, 0x09, 0x0D, 0x0A, 0x5B: true
        default: false
        }
    }

    private mutating func separate(_ wasBlank: Bool) {
        if wasBlank, !phrase.isEmpty { phrase.append(.space) }
    }

    private mutating func clear() {
        phrase.removeAll(keepingCapacity: true)
        joined.removeAll(keepingCapacity: true)
        localPart = nil
        comment = nil
    }

    // Ends an address without angle brackets, if there is one.
    private mutating func finish() {
        defer { clear() }
        if let localPart {
            guard !localPart.isEmpty || !joined.isEmpty else { return }
            append(localPart: localPart, domain: joined, name: commentText())
        } else if !joined.isEmpty {
            append(localPart: joined, domain: [], name: commentText())
        }
    }

    private func commentText() -> [UInt8]? {
        guard let comment else { return nil }
        let text = Lexer.unfolded(comment, in: lexer.bytes).filter { $0 != .backslash }
        return text.isEmpty ? nil : text
    }

    private mutating func append(
        localPart: [UInt8],
        domain: [UInt8],
        name: [UInt8]?,
        route: [UInt8]? = nil
    ) {
        let mailbox = HeaderMailbox(
            name: name,
            route: route,
            localPart: localPart,
            domain: domain
        )
        items.append(.mailbox(mailbox))
    }

    private mutating func endGroup() {
        if inGroup { items.append(.groupEnd) }
        inGroup = false
    }

    // Reads `<route:local@domain>`; what follows up to the comma is passed over, but for a comment.
    private mutating func angleAddress() {
        lexer.position += 1
        let name = phrase
        let comment = comment
        clear()
        var route: [UInt8]?
        var domain: [UInt8]?
        var local: [UInt8] = []
        reading: while true {
            lexer.skipBlanksAndComments()
            guard let byte = lexer.peek else { break }
            switch byte {
            case 0x3E:
                lexer.position += 1
                break reading
            case .doubleQuote:
                lexer.takeQuotedString(into: &local)
            case 0x40:
                lexer.position += 1
                let inRoute = route == nil && (local.isEmpty || local.first == 0x40)
                if domain != nil || inRoute {
                    local.append(byte)
                } else {
                    domain = local
                    local = []
                }
            case 0x3A where route == nil && domain == nil && local.first == 0x40:
                lexer.position += 1
                route = local
                local = []
            case 0x3B where inGroup, 0x3C:
                break reading
            case 0x5B where domain != nil && local.isEmpty:
                local.append(contentsOf: lexer.bytes[takeDomainLiteral()])
            default:
                lexer.position += 1
                local.append(byte)
            }
        }
        var parts = (local: domain ?? local, domain: domain == nil ? [] : local)
        if route == nil, domain == nil, local.first == 0x40 {
            parts = ([], Array(local.dropFirst()))
        }
        self.comment = comment
        let display = name.isEmpty ? commentText() : name
        if !parts.local.isEmpty || !parts.domain.isEmpty || display != nil {
            append(localPart: parts.local, domain: parts.domain, name: display, route: route)
        }
        clear()
        skipToSeparator()
    }

    private mutating func skipToSeparator() {
        while true {
            lexer.skipBlanksAndComments()
            guard let byte = lexer.peek, byte != 0x2C, byte != 0x3C, !(inGroup && byte == 0x3B)
            else { return }
            if byte == .doubleQuote {
                var ignored: [UInt8] = []
                lexer.takeQuotedString(into: &ignored)
            } else {
                lexer.position += 1
            }
        }
    }

    private mutating func takeDomainLiteral() -> Range<Int> {
        let literal = lexer.take { $0 != 0x5D && $0 != 0x2C && $0 != 0x3E && $0 != .lf }
        _ = lexer.take(0x5D)
        return literal.lowerBound..<lexer.position
    }
}
