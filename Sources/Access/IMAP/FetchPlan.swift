import IMAP
import MIME
import Store
import Wire

/// What a FETCH must read to answer its items.
///
/// Flags come from the mailbox's image alone; dates, sizes, ENVELOPE and BODYSTRUCTURE from message
/// rows; only sections touch bodies.
struct FetchPlan {
    let items: [FetchItem]
    private(set) var needsRows = false
    private(set) var needsBodies = false
    /// A section that sets `\Seen`.
    private(set) var marksSeen = false
    private(set) var columns: MessageColumns = []
    /// How much of a body the sections can ask for.
    private(set) var bodyBytes = 0
    private var wantsHeader = false

    var tellsModSeq: Bool { items.contains(.modSeq) }

    init(_ items: [FetchItem]) {
        self.items = items
        for item in items {
            switch item {
            case .uid, .flags: break
            case .internalDate, .rfc822Size, .modSeq: needsRows = true
            case .envelope:
                needsRows = true
                columns.insert(.envelope)
            case .bodyStructure:
                needsRows = true
                columns.insert(.structure)
            case .body: read(.max)
            case .section(let section, let peek, let partial):
                marksSeen = marksSeen || !peek
                if section.isHeader {
                    readHeader()
                } else {
                    read(Self.bytes(of: section, partial))
                }
            case .binary(let part, let peek, let partial):
                marksSeen = marksSeen || !peek
                read(Self.bytes(of: Section(part: part), partial))
            case .binarySize(let part): read(part.isEmpty ? 0 : .max)
            case .rfc822Header: readHeader()
            case .rfc822, .rfc822Text:
                marksSeen = true
                read(.max)
            }
        }
    }

    private mutating func read(_ bytes: Int) {
        needsBodies = true
        bodyBytes = max(bodyBytes, bytes)
    }

    /// The beginning of a message in which its header is looked for first.
    static let headerBytes = 65_536

    private mutating func readHeader() {
        wantsHeader = true
        read(Self.headerBytes)
    }

    private static func bytes(of section: Section, _ partial: Partial?) -> Int {
        guard section.part.isEmpty, section.text == nil, let partial else { return .max }
        return Int(partial.offset) + Int(partial.count)
    }

    /// True when no section looks past the header.
    var needsOnlyHeader: Bool { wantsHeader && bodyBytes < .max }
}

extension Section {
    /// The message's own header, or some of its fields.
    fileprivate var isHeader: Bool {
        guard part.isEmpty else { return false }
        switch text {
        case .header, .headerFields, .headerFieldsNot: return true
        case .text, .mime, nil: return false
        }
    }
}

extension MessageBody {
    /// The header with the empty line that ends it; nil when these bytes do not hold its end, which
    /// may follow unless they are the whole message.
    var header: ArraySlice<UInt8>? {
        var start = 0
        while let end = bytes.firstIndex(ofByte: .lf, from: start) {
            let isEmpty = end == start || end == start + 1 && bytes[start] == .cr
            if isEmpty { return bytes[...end] }
            start = end + 1
        }
        return bytes.count < size ? nil : bytes[...]
    }
}

/// One message's content while its sections are written: taken apart only when that is needed.
struct FetchedContent {
    let body: MessageBody
    private(set) lazy var message = Message(body.bytes)

    init(_ body: MessageBody) {
        self.body = body
    }

    /// Takes apart the header alone, for sections that need no more.
    init(_ body: MessageBody, header: ArraySlice<UInt8>) {
        self.body = body
        message = Message(Array(header))
    }

    /// What a section item means here.
    enum Piece {
        case range(Range<Int>)
        case bytes([UInt8])
        case missing
        /// RFC 3516 §4.3
        case unknownEncoding
    }

    /// The octets of a section item, cut to its partial range.
    mutating func piece(_ item: FetchItem) -> Piece {
        switch item {
        case .section(let section, _, let partial):
            if section.part.isEmpty, section.text == nil { return whole(partial) }
            return cut(message.section(section.part, section.text.map(SectionText.init)), partial)
        case .rfc822: return whole(nil)
        case .rfc822Header: return cut(message.section([], .header), nil)
        case .rfc822Text: return cut(message.section([], .text), nil)
        case .binary(let part, _, let partial):
            if part.isEmpty { return whole(partial) }
            switch message.binary(part) {
            case nil: return .missing
            case .unknownEncoding: return .unknownEncoding
            case .range(let range): return cut(.range(range), partial)
            case .bytes(let bytes): return cut(.bytes(bytes), partial)
            }
        default: return .missing
        }
    }

    /// Size of a decoded part; nil when its transfer encoding is not known.
    mutating func binarySize(_ part: [UInt32]) -> Int? {
        if part.isEmpty { return body.size }
        switch message.binary(part) {
        case nil: return 0
        case .unknownEncoding: return nil
        case .range(let range): return range.count
        case .bytes(let bytes): return bytes.count
        }
    }

    private func whole(_ partial: Partial?) -> Piece {
        .range(Self.clip(0..<body.bytes.count, partial))
    }

    private func cut(_ content: SectionContent?, _ partial: Partial?) -> Piece {
        switch content {
        case nil: .missing
        case .range(let range): .range(Self.clip(range, partial))
        case .bytes(let bytes):
            partial == nil
                ? .bytes(bytes) : .bytes(Array(bytes[Self.clip(0..<bytes.count, partial)]))
        }
    }

    private static func clip(_ range: Range<Int>, _ partial: Partial?) -> Range<Int> {
        guard let partial else { return range }
        let start = range.lowerBound + min(Int(partial.offset), range.count)
        return start..<(start + min(Int(partial.count), range.upperBound - start))
    }
}

extension SectionText {
    /// The grammar's word for it as MIME's.
    init(_ text: Section.Text) {
        self =
            switch text {
            case .header: .header
            case .headerFields(let names): .headerFields(names)
            case .headerFieldsNot(let names): .headerFieldsNot(names)
            case .text: .text
            case .mime: .mime
            }
    }
}
