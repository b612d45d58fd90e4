package import Mail
import Wire

/// What an ESEARCH response tells.
///
/// RFC 9051 §7.3.4, RFC 4731 §3.1
package struct ExtendedSearchResult: Equatable, Sendable {
    package var min: UInt32?
    package var max: UInt32?
    package var all: UIDSet?
    package var count: Int?
    package var modSeq: ModSeq?

    package init() {}
}

extension ResponseWriter {
    /// The SEARCH response of IMAP4rev1.
    ///
    /// RFC 3501 §7.2.5, RFC 7162 §3.1.5
    package mutating func search(_ numbers: UIDSet, modSeq: ModSeq?) {
        bytes.append("* SEARCH")
        for number in numbers {
            bytes.append(.space)
            bytes.append(decimal: number)
        }
        if let modSeq {
            bytes.append(" (MODSEQ ")
            bytes.append(decimal: modSeq.rawValue)
            bytes.append(0x29)
        }
        bytes.appendCRLF()
    }

    package mutating func extendedSearch(
        tag: String,
        _ numbering: Numbering,
        _ result: ExtendedSearchResult
    ) {
        bytes.append("* ESEARCH (TAG ")
        bytes.quote(tag.utf8)
        bytes.append(numbering == .uid ? ") UID" : ")")
        if let min = result.min {
            bytes.append(" MIN ")
            bytes.append(decimal: min)
        }
        if let max = result.max {
            bytes.append(" MAX ")
            bytes.append(decimal: max)
        }
        if let count = result.count {
            bytes.append(" COUNT ")
            bytes.append(decimal: count)
        }
        if let all = result.all, !all.isEmpty {
            bytes.append(" ALL ")
            bytes.append(all)
        }
        if let modSeq = result.modSeq {
            bytes.append(" MODSEQ ")
            bytes.append(decimal: modSeq.rawValue)
        }
        bytes.appendCRLF()
    }
}
