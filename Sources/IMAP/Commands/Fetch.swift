package import Mail
import Wire

/// FETCH, by sequence number or UID.
///
/// RFC 9051 §6.4.5, RFC 7162 §3.1.4, §3.2.6
package struct FetchCommand: Equatable, Sendable {
    package let numbering: Numbering
    package let set: SequenceSet
    package let items: [FetchItem]
    package var changedSince: ModSeq?
    /// Tell what was expunged since `changedSince`, too.
    package var vanished = false

    init(parsing parser: inout Parser, _ numbering: Numbering) throws(Refusal) {
        self.numbering = numbering
        set = try parser.spacedSet()
        try parser.space()
        items = try parser.fetchItems()
        guard parser.cursor.take(.space), !parser.cursor.isAtEnd else { return }
        var changedSince: ModSeq?
        var vanished = false
        try parser.list { (parser) throws(Refusal) in
            switch try parser.keyword() {
            case "CHANGEDSINCE":
                try parser.space()
                changedSince = try parser.modSeq()
            case "VANISHED": vanished = true
            default: throw .bad("Unknown FETCH modifier")
            }
        }
        // RFC 7162 §3.2.6: VANISHED goes with UID FETCH and CHANGEDSINCE only.
        guard !vanished || (changedSince != nil && numbering == .uid) else {
            throw .bad("VANISHED needs UID FETCH and CHANGEDSINCE")
        }
        self.changedSince = changedSince
        self.vanished = vanished
    }
}

/// One data item of FETCH.
///
/// RFC 9051 §6.4.5, RFC 3516 §4.2
package enum FetchItem: Hashable, Sendable {
    case uid
    case flags
    case internalDate
    case rfc822Size
    case modSeq
    case envelope
    /// BODY without a section.
    case body
    case bodyStructure
    case section(Section, peek: Bool, partial: Partial?)
    case binary(part: [UInt32], peek: Bool, partial: Partial?)
    case binarySize(part: [UInt32])
    /// RFC 3501 §6.4.5: old names for three sections, answered under those names.
    case rfc822
    case rfc822Header
    case rfc822Text
}

/// A piece of a section, as in `<0.1024>`.
package struct Partial: Hashable, Sendable {
    package let offset: UInt32
    package let count: UInt32

    package init(offset: UInt32, count: UInt32) {
        self.offset = offset
        self.count = count
    }
}

/// Which part of a message a BODY item means.
///
/// RFC 9051 §9: `section-spec`
package struct Section: Hashable, Sendable {
    package enum Text: Hashable, Sendable {
        case header
        case headerFields([String])
        case headerFieldsNot([String])
        case text
        case mime
    }

    /// Part numbers; empty for the message itself.
    package let part: [UInt32]
    package let text: Text?

    package init(part: [UInt32] = [], text: Text? = nil) {
        self.part = part
        self.text = text
    }

    /// How deep a part number may go.
    package static let maximumDepth = 100
    /// How many header fields one item may name.
    package static let maximumFields = 1_000
}

extension Parser {
    /// How many items one FETCH may ask for.
    private static var maximumItems: Int { 500 }

    fileprivate mutating func fetchItems() throws(Refusal) -> [FetchItem] {
        if takeWord("ALL") { return [.flags, .internalDate, .rfc822Size, .envelope] }
        if takeWord("FAST") { return [.flags, .internalDate, .rfc822Size] }
        if takeWord("FULL") { return [.flags, .internalDate, .rfc822Size, .envelope, .body] }
        guard peek == Punctuation.open.rawValue else { return [try fetchItem()] }
        var items: [FetchItem] = []
        try list { (parser) throws(Refusal) in
            let item = try parser.fetchItem()
            guard items.count < Self.maximumItems else { throw .bad("Too many FETCH items") }
            if !items.contains(item) { items.append(item) }
        }
        guard !items.isEmpty else { throw .bad("FETCH needs items") }
        return items
    }

    private mutating func fetchItem() throws(Refusal) -> FetchItem {
        let name = cursor.take { $0.isAlpha || $0.isDigit || $0 == 0x2E }
        switch String(decoding: name.prefix(32).map(\.uppercased), as: UTF8.self) {
        case "UID": return .uid
        case "FLAGS": return .flags
        case "INTERNALDATE": return .internalDate
        case "RFC822.SIZE": return .rfc822Size
        case "MODSEQ": return .modSeq
        case "ENVELOPE": return .envelope
        case "BODYSTRUCTURE": return .bodyStructure
        case "RFC822": return .rfc822
        case "RFC822.HEADER": return .rfc822Header
        case "RFC822.TEXT": return .rfc822Text
        case "BODY":
            guard peek == Punctuation.openBracket.rawValue else { return .body }
            return .section(try section(), peek: false, partial: try partial())
        case "BODY.PEEK": return .section(try section(), peek: true, partial: try partial())
        case "BINARY":
            return .binary(part: try binaryPart(), peek: false, partial: try partial())
        case "BINARY.PEEK":
            return .binary(part: try binaryPart(), peek: true, partial: try partial())
        case "BINARY.SIZE": return .binarySize(part: try binaryPart())
        default: throw .bad("Unknown FETCH item")
        }
    }

    private mutating func binaryPart() throws(Refusal) -> [UInt32] {
        try expect(.openBracket)
        var part: [UInt32] = []
        while let byte = peek, byte.isDigit {
            part.append(try partNumber(after: part))
            if !take(.dot) { break }
        }
        try expect(.closeBracket)
        return part
    }

    private mutating func partNumber(after part: [UInt32]) throws(Refusal) -> UInt32 {
        guard part.count < Section.maximumDepth else { throw .bad("Part number too deep") }
        return try nonZero()
    }

    private mutating func section() throws(Refusal) -> Section {
        try expect(.openBracket)
        var part: [UInt32] = []
        var text: Section.Text?
        while peek != Punctuation.closeBracket.rawValue {
            if let byte = peek, byte.isDigit {
                part.append(try partNumber(after: part))
                if take(.dot) { continue }
                break
            }
            text = try sectionText(inPart: !part.isEmpty)
            break
        }
        try expect(.closeBracket)
        return Section(part: part, text: text)
    }

    private mutating func sectionText(inPart: Bool) throws(Refusal) -> Section.Text {
        switch try keyword() {
        case "HEADER": return .header
        case "TEXT": return .text
        case "MIME" where inPart: return .mime
        case "HEADER.FIELDS": return .headerFields(try fieldNames())
        case "HEADER.FIELDS.NOT": return .headerFieldsNot(try fieldNames())
        default: throw .bad("Unknown section")
        }
    }

    private mutating func fieldNames() throws(Refusal) -> [String] {
        try space()
        var names: [String] = []
        try list { (parser) throws(Refusal) in
            guard names.count < Section.maximumFields else { throw .bad("Too many fields") }
            let name = try parser.astring()
            guard name.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }) else {
                throw .bad("Invalid header field name")
            }
            names.append(String(lossyUTF8: name))
        }
        guard !names.isEmpty else { throw .bad("Syntax error: field names expected") }
        return names
    }

    private mutating func partial() throws(Refusal) -> Partial? {
        guard take(.openAngle) else { return nil }
        let offset = try number(UInt32.self)
        try expect(.dot)
        let count = try nonZero()
        try expect(.closeAngle)
        return Partial(offset: offset, count: count)
    }
}
