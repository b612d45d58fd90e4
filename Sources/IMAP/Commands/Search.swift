package import Mail
import Wire

/// SEARCH, by sequence number or UID, with the result options of ESEARCH and SEARCHRES.
///
/// RFC 9051 §6.4.4, RFC 4731 §3.1, RFC 5182 §2
package struct SearchCommand: Equatable, Sendable {
    package struct Returns: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let min = Returns(rawValue: 1)
        package static let max = Returns(rawValue: 2)
        package static let all = Returns(rawValue: 4)
        package static let count = Returns(rawValue: 8)
        package static let save = Returns(rawValue: 16)
    }

    package let numbering: Numbering
    /// Nil when the client gave no RETURN: answer with SEARCH, or ESEARCH in IMAP4rev2.
    package let returns: Returns?
    /// In upper case; nil means US-ASCII in IMAP4rev1 and UTF-8 in IMAP4rev2.
    package let charset: String?
    package let key: SearchKey

    init(parsing parser: inout Parser, _ numbering: Numbering) throws(Refusal) {
        self.numbering = numbering
        try parser.space()
        returns = try parser.searchReturns()
        charset = try parser.searchCharset()
        var budget = SearchKey.maximumKeys
        var keys = [try parser.searchKey(&budget, depth: 0)]
        while parser.peek == .space {
            try parser.space()
            if parser.cursor.isAtEnd { break }
            keys.append(try parser.searchKey(&budget, depth: 0))
        }
        key = keys.count == 1 ? keys[0] : .and(keys)
    }
}

/// A tree of search criteria.
///
/// Strings are still in the command's charset.
///
/// RFC 9051 §6.4.4, RFC 7162 §3.1.5
package indirect enum SearchKey: Hashable, Sendable {
    case all
    case and([SearchKey])
    case or(SearchKey, SearchKey)
    case not(SearchKey)
    case flag(Flag)
    /// IMAP4rev1 only.
    case recent
    case sequence(SequenceSet)
    case uid(SequenceSet)
    case larger(UInt64)
    case smaller(UInt64)
    case before(Day)
    case on(Day)
    case since(Day)
    case sentBefore(Day)
    case sentOn(Day)
    case sentSince(Day)
    /// Field name in lower case; an empty value asks whether the field is there.
    case header(name: String, value: [UInt8])
    case body([UInt8])
    case text([UInt8])
    case modSeq(ModSeq)

    /// How many keys one SEARCH may have.
    package static let maximumKeys = 1_000
    /// How deep keys may nest.
    package static let maximumDepth = 50

    /// True when the tree holds MODSEQ, which makes the response carry the highest one.
    package var mentionsModSeq: Bool {
        switch self {
        case .modSeq: true
        case .and(let keys): keys.contains(where: \.mentionsModSeq)
        case .or(let a, let b): a.mentionsModSeq || b.mentionsModSeq
        case .not(let key): key.mentionsModSeq
        default: false
        }
    }
}

extension Parser {
    fileprivate mutating func searchReturns() throws(Refusal) -> SearchCommand.Returns? {
        guard takeWord("RETURN") else { return nil }
        try space()
        var returns: SearchCommand.Returns = []
        try list { (parser) throws(Refusal) in
            switch try parser.keyword() {
            case "MIN": returns.insert(.min)
            case "MAX": returns.insert(.max)
            case "ALL": returns.insert(.all)
            case "COUNT": returns.insert(.count)
            case "SAVE": returns.insert(.save)
            default: throw .bad("Unknown SEARCH return option")
            }
        }
        try space()
        // RFC 4731 §3.1: no option means ALL.
        return returns.isEmpty ? .all : returns
    }

    fileprivate mutating func searchCharset() throws(Refusal) -> String? {
        guard takeWord("CHARSET") else { return nil }
        try space()
        let name = try astring()
        try space()
        return String(decoding: name.prefix(64).map(\.uppercased), as: UTF8.self)
    }

    fileprivate mutating func searchKey(
        _ budget: inout Int,
        depth: Int
    ) throws(Refusal) -> SearchKey {
        budget -= 1
        guard budget >= 0, depth <= SearchKey.maximumDepth else {
            throw Refusal(.no, .limit, "SEARCH too complex")
        }
        guard let first = peek else { throw .bad("Missing search key") }
        if first == Punctuation.open.rawValue { return try group(&budget, depth: depth) }
        if first.isDigit || first == Punctuation.star.rawValue
            || first == Punctuation.dollar.rawValue
        {
            return .sequence(try sequenceSet())
        }
        let name = try keyword()
        switch name {
        case "NOT":
            try space()
            return .not(try searchKey(&budget, depth: depth + 1))
        case "OR":
            try space()
            let first = try searchKey(&budget, depth: depth + 1)
            try space()
            return .or(first, try searchKey(&budget, depth: depth + 1))
        default:
            if let key = Self.flagKey(name) { return key }
            return try keyWithArgument(name)
        }
    }

    private mutating func group(
        _ budget: inout Int,
        depth: Int
    ) throws(Refusal) -> SearchKey {
        try expect(.open)
        var keys = [try searchKey(&budget, depth: depth + 1)]
        while !take(.close) {
            try space()
            keys.append(try searchKey(&budget, depth: depth + 1))
        }
        return keys.count == 1 ? keys[0] : .and(keys)
    }

    private static func flagKey(_ name: String) -> SearchKey? {
        switch name {
        case "ALL": .all
        case "ANSWERED": .flag(.answered)
        case "DELETED": .flag(.deleted)
        case "DRAFT": .flag(.draft)
        case "FLAGGED": .flag(.flagged)
        case "SEEN": .flag(.seen)
        case "UNANSWERED": .not(.flag(.answered))
        case "UNDELETED": .not(.flag(.deleted))
        case "UNDRAFT": .not(.flag(.draft))
        case "UNFLAGGED": .not(.flag(.flagged))
        case "UNSEEN": .not(.flag(.seen))
        case "RECENT": .recent
        case "OLD": .not(.recent)
        case "NEW": .and([.recent, .not(.flag(.seen))])
        default: nil
        }
    }

    private mutating func keyWithArgument(_ name: String) throws(Refusal) -> SearchKey {
        try space()
        switch name {
        case "KEYWORD": return .flag(.keyword(try searchedKeyword()))
        case "UNKEYWORD": return .not(.flag(.keyword(try searchedKeyword())))
        case "UID": return .uid(try sequenceSet())
        case "LARGER": return .larger(try number())
        case "SMALLER": return .smaller(try number())
        case "BEFORE": return .before(try day())
        case "ON": return .on(try day())
        case "SINCE": return .since(try day())
        case "SENTBEFORE": return .sentBefore(try day())
        case "SENTON": return .sentOn(try day())
        case "SENTSINCE": return .sentSince(try day())
        case "BCC", "CC", "FROM", "SUBJECT", "TO":
            return .header(name: name.lowercased(), value: try astring())
        case "HEADER":
            let field = try astring()
            try space()
            return .header(
                name: String(decoding: field.map(\.lowercased), as: UTF8.self),
                value: try astring()
            )
        case "BODY": return .body(try astring())
        case "TEXT": return .text(try astring())
        case "MODSEQ": return try modSeqKey()
        default: throw .bad("Unknown search key")
        }
    }

    private mutating func searchedKeyword() throws(Refusal) -> Keyword {
        guard let keyword = Keyword(try atom()) else { throw .bad("Invalid keyword") }
        return keyword
    }

    /// `MODSEQ ["/flags/\Draft" (priv|shared|all)] n`; the entry changes nothing, because a
    /// message has one mod-sequence here.
    ///
    /// RFC 7162 §3.1.5
    private mutating func modSeqKey() throws(Refusal) -> SearchKey {
        if peek == .doubleQuote {
            guard try string().startsIgnoringCase(with: "/flags/") else {
                throw .bad("Unknown metadata entry")
            }
            try space()
            guard ["PRIV", "SHARED", "ALL"].contains(try keyword()) else {
                throw .bad("Unknown metadata entry type")
            }
            try space()
        }
        return .modSeq(try modSeq())
    }
}
