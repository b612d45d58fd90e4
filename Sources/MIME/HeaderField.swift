import Wire

/// The fields that ENVELOPE, BODYSTRUCTURE or delivery look at.
package enum KnownField: UInt8, Sendable {
    case date, subject, from, sender, replyTo, to, cc, bcc, inReplyTo, messageID, references
    case contentType, contentTransferEncoding, contentDisposition, contentID, contentDescription
    case contentLanguage, contentLocation, contentMD5

    /// Finds the field by its name, letters compared without case.
    init?(_ name: ArraySlice<UInt8>) {
        guard let field = Self.candidate(name), name.equalsIgnoringCase(field.name)
        else { return nil }
        self = field
    }

    var name: StaticString {
        switch self {
        case .date: "date"
        case .subject: "subject"
        case .from: "from"
        case .sender: "sender"
        case .replyTo: "reply-to"
        case .to: "to"
        case .cc: "cc"
        case .bcc: "bcc"
        case .inReplyTo: "in-reply-to"
        case .messageID: "message-id"
        case .references: "references"
        case .contentType: "content-type"
        case .contentTransferEncoding: "content-transfer-encoding"
        case .contentDisposition: "content-disposition"
        case .contentID: "content-id"
        case .contentDescription: "content-description"
        case .contentLanguage: "content-language"
        case .contentLocation: "content-location"
        case .contentMD5: "content-md5"
        }
    }

    // Length and one or two letters tell the names apart, so one comparison settles it.
    private static func candidate(_ name: ArraySlice<UInt8>) -> KnownField? {
        guard let first = name.first else { return nil }
        switch (name.count, first.lowercased) {
        case (4, 0x64): return .date
        case (7, 0x73): return .subject
        case (4, 0x66): return .from
        case (6, 0x73): return .sender
        case (8, 0x72): return .replyTo
        case (2, 0x74): return .to
        case (2, 0x63): return .cc
        case (3, 0x62): return .bcc
        case (11, 0x69): return .inReplyTo
        case (10, 0x6D): return .messageID
        case (10, 0x72): return .references
        case (12, 0x63): return .contentType
        case (25, 0x63): return .contentTransferEncoding
        case (19, 0x63):
            let isDisposition = name[name.startIndex + 9].lowercased == 0x69
            return isDisposition ? .contentDisposition : .contentDescription
        case (10, 0x63): return .contentID
        case (16, 0x63):
            let isLanguage = name[name.startIndex + 9].lowercased == 0x61
            return isLanguage ? .contentLanguage : .contentLocation
        case (11, 0x63): return .contentMD5
        default: return nil
        }
    }
}

/// Where one known header field stands in a message.
struct IndexedField: Sendable {
    let field: KnownField
    /// What follows the colon, folded lines and all, without the last line break.
    let value: Range<Int>
}

/// One field of a header block, as ranges of the bytes it was found in.
package struct HeaderField: Hashable, Sendable {
    package let name: Range<Int>
    /// What follows the colon, folded lines and all, without the last line break.
    package let value: Range<Int>
    /// The whole field with its last line break.
    package let whole: Range<Int>
}

/// The fields of a header block in order; what is no field is passed over.
///
/// Visits each byte once and keeps nothing, so it serves blocks of any size.
///
/// RFC 5322 §2.2
package struct HeaderFields: Sequence, IteratorProtocol, Sendable {
    private let bytes: [UInt8]
    private var position: Int
    private let end: Int

    /// The fields of the block that begins at `range`'s start and ends at its end or an empty line.
    package init(in bytes: [UInt8], range: Range<Int>) {
        self.bytes = bytes
        let whole = range.clamped(to: 0..<bytes.count)
        position = whole.lowerBound
        end = whole.upperBound
    }

    /// The fields at the start of a message.
    package init(in message: [UInt8]) {
        self.init(in: message, range: 0..<message.count)
    }

    package mutating func next() -> HeaderField? {
        while position < end {
            let start = position
            var contentEnd = skipLine()
            if contentEnd == start {
                position = end
                return nil
            }
            while position < end, bytes[position].isBlank { contentEnd = skipLine() }
            if let name = HeaderFields.name(in: bytes, from: start, to: contentEnd) {
                return HeaderField(
                    name: start..<name.end,
                    value: (name.colon + 1)..<contentEnd,
                    whole: start..<position
                )
            }
        }
        return nil
    }

    // Moves to the next line and gives the end of this one without its line break.
    private mutating func skipLine() -> Int {
        let start = position
        let newline = bytes[..<end].firstIndex(ofByte: .lf, from: start)
        let lineEnd = newline ?? end
        position = newline.map { $0 + 1 } ?? end
        return lineEnd > start && bytes[lineEnd - 1] == .cr ? lineEnd - 1 : lineEnd
    }

    /// Finds a field's name and its colon; nil when the line is no header field.
    static func name(
        in bytes: [UInt8],
        from start: Int,
        to end: Int
    ) -> (end: Int, colon: Int)? {
        var i = start
        while i < end {
            let byte = bytes[i]
            if byte == 0x3A { return i > start ? (i, i) : nil }
            if byte <= 0x20 || byte >= 0x7F { break }
            i += 1
        }
        // Blanks before the colon are obsolete syntax.
        let nameEnd = i
        while i < end, bytes[i].isBlank { i += 1 }
        guard nameEnd > start, i < end, bytes[i] == 0x3A else { return nil }
        return (nameEnd, i)
    }
}
