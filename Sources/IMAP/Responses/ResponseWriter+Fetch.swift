package import Mail
import Wire

/// Every set of system flags, spelt once.
private let systemFlagNames: [[UInt8]] = (0..<32).map { (bits: UInt8) -> [UInt8] in
    let names = ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"]
    return Array(
        names.enumerated().filter { bits & (1 << $0.offset) != 0 }.map(\.element)
            .joined(separator: " ").utf8
    )
}

extension Flag {
    /// The bit of a system flag in `SystemFlags`; nil for a keyword.
    package var systemBit: UInt8? {
        switch self {
        case .seen: 1
        case .answered: 2
        case .flagged: 4
        case .deleted: 8
        case .draft: 16
        case .keyword: nil
        }
    }
}

extension ResponseWriter {
    /// Opens `* n FETCH (`; items follow, then `endFetch()`.
    ///
    /// RFC 9051 §7.5.2
    package mutating func beginFetch(_ number: UInt32) {
        bytes.append("* ")
        bytes.append(decimal: number)
        bytes.append(" FETCH (")
    }

    package mutating func endFetch() {
        bytes.append(")\r\n")
    }

    /// The space between two items; none after the opening parenthesis.
    private mutating func separate() {
        if bytes.last != 0x28 { bytes.append(.space) }
    }

    package mutating func fetchUID(_ uid: UInt32) {
        separate()
        bytes.append("UID ")
        bytes.append(decimal: uid)
    }

    /// FLAGS from system flag bits (`Flag.systemBit`) and keyword names.
    package mutating func fetchFlags(system: UInt8, keywords: [String] = []) {
        separate()
        bytes.append("FLAGS (")
        bytes.append(contentsOf: systemFlagNames[Int(system & 31)])
        for keyword in keywords {
            separate()
            bytes.append(text: keyword)
        }
        bytes.append(0x29)
    }

    package mutating func fetchModSeq(_ modSeq: ModSeq) {
        separate()
        bytes.append("MODSEQ (")
        bytes.append(decimal: modSeq.rawValue)
        bytes.append(0x29)
    }

    /// `unixSeconds` counts from 1970.
    package mutating func fetchInternalDate(_ unixSeconds: Int64) {
        separate()
        bytes.append("INTERNALDATE ")
        bytes.append(dateTime: unixSeconds)
    }

    package mutating func fetchSize(_ size: Int64) {
        separate()
        bytes.append("RFC822.SIZE ")
        bytes.append(decimal: size)
    }

    /// ENVELOPE, BODY or BODYSTRUCTURE, whose value is already in the form of the wire.
    package mutating func fetchReady(_ name: StaticString, _ value: ArraySlice<UInt8>) {
        separate()
        bytes.append(name)
        bytes.append(.space)
        bytes.append(contentsOf: value)
    }

    /// Writes `BINARY.SIZE[1.2] n`.
    ///
    /// RFC 9051 §7.5.2
    package mutating func fetchBinarySize(part: [UInt32], _ size: Int64) {
        separate()
        bytes.append("BINARY.SIZE[")
        bytes.append(part: part)
        bytes.append("] ")
        bytes.append(decimal: size)
    }

    /// The name of a section item and the head of its literal; exactly `size` bytes must follow.
    package mutating func beginSection(_ item: FetchItem, size: Int, isBinary: Bool = false) {
        sectionName(item)
        if isBinary { bytes.append(0x7E) }
        bytes.append(0x7B)
        bytes.append(decimal: size)
        bytes.append("}\r\n")
    }

    /// A section that the message does not have.
    package mutating func missingSection(_ item: FetchItem) {
        sectionName(item)
        bytes.append("NIL")
    }

    private mutating func sectionName(_ item: FetchItem) {
        separate()
        switch item {
        case .section(let section, _, let partial):
            bytes.append("BODY[")
            bytes.append(part: section.part)
            if let text = section.text {
                if !section.part.isEmpty { bytes.append(0x2E) }
                bytes.append(text)
            }
            bytes.append(0x5D)
            origin(partial)
        case .binary(let part, _, let partial):
            bytes.append("BINARY[")
            bytes.append(part: part)
            bytes.append(0x5D)
            origin(partial)
        case .rfc822: bytes.append("RFC822")
        case .rfc822Header: bytes.append("RFC822.HEADER")
        case .rfc822Text: bytes.append("RFC822.TEXT")
        default: break
        }
        bytes.append(.space)
    }

    private mutating func origin(_ partial: Partial?) {
        guard let partial else { return }
        bytes.append(0x3C)
        bytes.append(decimal: partial.offset)
        bytes.append(0x3E)
    }
}

extension Array<UInt8> {
    fileprivate mutating func append(part: [UInt32]) {
        for (index, number) in part.enumerated() {
            if index > 0 { append(0x2E) }
            append(decimal: number)
        }
    }

    fileprivate mutating func append(_ text: Section.Text) {
        switch text {
        case .header: append("HEADER")
        case .text: append("TEXT")
        case .mime: append("MIME")
        case .headerFields(let names): appendFields("HEADER.FIELDS (", names)
        case .headerFieldsNot(let names): appendFields("HEADER.FIELDS.NOT (", names)
        }
    }

    private mutating func appendFields(_ start: StaticString, _ names: [String]) {
        append(start)
        for (index, name) in names.enumerated() {
            if index > 0 { append(.space) }
            if name.utf8.allSatisfy(Parser.isAtomByte) {
                append(text: name)
            } else {
                append(string: name.utf8)
            }
        }
        append(0x29)
    }
}
