package import Mail

/// The flags of one message: a bit for each system flag and for each keyword of its mailbox.
///
/// A bit set and not a list, so that a FETCH of a hundred thousand flags allocates nothing.
package struct MessageFlags: Hashable, Sendable {
    /// The system flags as bits, in the order of `SystemFlag`.
    package var system: UInt8 = 0
    /// Bit `n` stands for keyword number `n` of the mailbox.
    package var keywords: UInt128 = 0

    @inlinable package init() {}

    @inlinable package var isSeen: Bool { system & 1 != 0 }
    @inlinable package var isAnswered: Bool { system & 2 != 0 }
    @inlinable package var isFlagged: Bool { system & 4 != 0 }
    @inlinable package var isDeleted: Bool { system & 8 != 0 }
    @inlinable package var isDraft: Bool { system & 16 != 0 }

    /// A mailbox knows at most this many keywords; a further one is refused.
    package static let maximumKeywords = 128

    mutating func insert(column: UInt16) {
        if column >= ChunkState.Column.firstKeyword {
            keywords |= UInt128(1) << UInt128(column - ChunkState.Column.firstKeyword)
        } else if column > 0 {
            system |= 1 << UInt8(column - 1)
        }
    }
}

/// The keywords of a mailbox by number, in the order of their first use.
///
/// RFC 9051 §2.3.2
package struct KeywordTable: Hashable, Sendable {
    package private(set) var names: [Keyword] = []

    package init() {}

    package func number(of keyword: Keyword) -> Int? {
        names.firstIndex(of: keyword)
    }

    /// The flags that `flags` stands for.
    package func list(_ flags: MessageFlags) -> [Flag] {
        var list: [Flag] = []
        if flags.isAnswered { list.append(.answered) }
        if flags.isFlagged { list.append(.flagged) }
        if flags.isDeleted { list.append(.deleted) }
        if flags.isSeen { list.append(.seen) }
        if flags.isDraft { list.append(.draft) }
        var rest = flags.keywords
        while rest != 0 {
            let number = rest.trailingZeroBitCount
            if number < names.count { list.append(.keyword(names[number])) }
            rest &= rest - 1
        }
        return list
    }

    /// The column of `flag`; nil for a keyword that this mailbox does not know.
    func column(of flag: Flag) -> UInt16? {
        switch flag {
        case .seen: ChunkState.Column.seen
        case .answered: ChunkState.Column.answered
        case .flagged: ChunkState.Column.flagged
        case .deleted: ChunkState.Column.deleted
        case .draft: ChunkState.Column.draft
        case .keyword(let keyword):
            number(of: keyword).map { ChunkState.Column.firstKeyword + UInt16($0) }
        }
    }

    mutating func append(_ keyword: Keyword) {
        names.append(keyword)
    }
}
