import Wire

/// LIST, plain or extended.
///
/// RFC 9051 §6.3.9, RFC 5258 §3, RFC 5819 §2, RFC 6154 §2
package struct ListCommand: Equatable, Sendable {
    /// Which mailboxes are selected.
    package struct Selection: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let subscribed = Selection(rawValue: 1)
        package static let remote = Selection(rawValue: 2)
        package static let recursiveMatch = Selection(rawValue: 4)
        package static let specialUse = Selection(rawValue: 8)
    }

    /// What is told about each.
    package struct Returns: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let subscribed = Returns(rawValue: 1)
        package static let children = Returns(rawValue: 2)
        package static let specialUse = Returns(rawValue: 4)
    }

    package var selection: Selection = []
    package var reference = ""
    /// Patterns with `*` and `%`, decoded.
    package var patterns: [String] = []
    package var returns: Returns = []
    /// STATUS items to send for each selectable mailbox; empty for none.
    package var status: [StatusItem] = []
    /// True when the client used any syntax of LIST-EXTENDED.
    package var isExtended = false

    /// How many patterns one command may carry.
    package static let maximumPatterns = 100

    init(parsing parser: inout Parser) throws(Refusal) {
        try parser.space()
        if parser.peek == Punctuation.open.rawValue {
            isExtended = true
            selection = try parser.listSelection()
            try parser.space()
        }
        reference = try parser.mailboxPattern()
        try parser.space()
        if parser.peek == Punctuation.open.rawValue {
            isExtended = true
            var patterns: [String] = []
            try parser.list { (parser) throws(Refusal) in
                patterns.append(try parser.mailboxPattern())
                guard patterns.count <= Self.maximumPatterns else {
                    throw Refusal(.no, .limit, "Too many patterns")
                }
            }
            guard !patterns.isEmpty else { throw .bad("Syntax error: pattern expected") }
            self.patterns = patterns
        } else {
            patterns = [try parser.mailboxPattern()]
        }
        if parser.cursor.take(.space), !parser.cursor.isAtEnd {
            isExtended = true
            guard parser.takeWord("RETURN") else { throw .bad("Syntax error: RETURN expected") }
            try parser.space()
            (returns, status) = try parser.listReturns()
        }
    }
}

/// LSUB of IMAP4rev1.
///
/// RFC 3501 §6.3.9
package struct LsubCommand: Equatable, Sendable {
    package let reference: String
    package let pattern: String

    init(parsing parser: inout Parser) throws(Refusal) {
        try parser.space()
        reference = try parser.mailboxPattern()
        try parser.space()
        pattern = try parser.mailboxPattern()
    }
}

extension Parser {
    /// `list-mailbox` or a reference name, decoded.
    fileprivate mutating func mailboxPattern() throws(Refusal) -> String {
        let bytes: [UInt8]
        if peek == .doubleQuote || peek == 0x7B {
            bytes = try string()
        } else {
            bytes = Array(
                cursor.take { Self.isAtomByte($0) || $0 == 0x5D || $0 == 0x25 || $0 == 0x2A }
            )
            guard !bytes.isEmpty else { throw .bad("Syntax error: pattern expected") }
        }
        guard bytes.count <= MailboxName.maximumLength,
            let pattern = MailboxName.decode(bytes, encoding)
        else { throw Refusal(.no, .cannot, "Invalid mailbox pattern") }
        return pattern
    }

    fileprivate mutating func listSelection() throws(Refusal) -> ListCommand.Selection {
        var selection: ListCommand.Selection = []
        try list { (parser) throws(Refusal) in
            switch try parser.keyword() {
            case "SUBSCRIBED": selection.insert(.subscribed)
            case "REMOTE": selection.insert(.remote)
            case "RECURSIVEMATCH": selection.insert(.recursiveMatch)
            case "SPECIAL-USE": selection.insert(.specialUse)
            default: throw .bad("Unknown LIST selection option")
            }
        }
        // RFC 5258 §3.1: RECURSIVEMATCH needs an option that is not REMOTE beside it.
        if selection.contains(.recursiveMatch),
            selection.isDisjoint(with: [.subscribed, .specialUse])
        {
            throw .bad("RECURSIVEMATCH needs another selection option")
        }
        return selection
    }

    fileprivate mutating func listReturns() throws(Refusal) -> (
        ListCommand.Returns, [StatusItem]
    ) {
        var returns: ListCommand.Returns = []
        var status: [StatusItem] = []
        try list { (parser) throws(Refusal) in
            switch try parser.keyword() {
            case "SUBSCRIBED": returns.insert(.subscribed)
            case "CHILDREN": returns.insert(.children)
            case "SPECIAL-USE": returns.insert(.specialUse)
            case "STATUS":
                try parser.space()
                status = try parser.statusItems()
            default: throw .bad("Unknown LIST return option")
            }
        }
        return (returns, status)
    }
}
