import IMAP
import Mail
import Store

/// The mailbox that a session has open, as its client knows it.
struct Selected {
    let name: MailboxName
    let image: MailboxImage
    /// Wakes the connection when the mailbox changes.
    let watch: ChangeFeed.Watch
    let mode: SelectMode
    /// The state that the client has been told of; sequence numbers are counted in it.
    var known: MailboxSnapshot
    /// Names of the keywords that the client has been told of, by number.
    var keywordNames: [String]
    /// What `$` stands for.
    ///
    /// RFC 5182 §2.1
    var savedSearch = UIDSet()

    init(
        _ name: MailboxName,
        _ image: MailboxImage,
        _ watch: ChangeFeed.Watch,
        _ mode: SelectMode,
        _ known: MailboxSnapshot
    ) {
        self.name = name
        self.image = image
        self.watch = watch
        self.mode = mode
        self.known = known
        keywordNames = known.keywords.names.map(\.name)
    }

    /// The names of the keywords among `flags`.
    func keywords(of flags: MessageFlags) -> [String] {
        guard flags.keywords != 0 else { return [] }
        var names: [String] = []
        var rest = flags.keywords
        while rest != 0 {
            let number = rest.trailingZeroBitCount
            if number < keywordNames.count { names.append(keywordNames[number]) }
            rest &= rest - 1
        }
        return names
    }

    /// All flags that exist in the mailbox.
    var flags: [Flag] {
        [.answered, .flagged, .deleted, .seen, .draft]
            + known.keywords.names.map { .keyword($0) }
    }

    /// The UIDs of the messages that a command is about and that the client knows of.
    ///
    /// A sequence number beyond the end is a client's mistake, a UID that is not there is none.
    ///
    /// RFC 9051 §6.4.9, §9: `seq-number`
    func uids(_ set: SequenceSet, _ numbering: Numbering) throws(Refusal) -> UIDSet {
        if set == .savedResult { return known.existing(savedSearch) }
        switch numbering {
        case .uid:
            let last = known.uid(at: UInt32(known.count))?.rawValue ?? 0
            return known.existing(set.numbers(last: last))
        case .sequence:
            guard set.largestNumber <= known.count || isOpenEnded(set) else {
                throw Refusal(.bad, nil, "No message with this sequence number")
            }
            return known.uids(atSequenceNumbers: set.numbers(last: UInt32(known.count)))
        }
    }

    /// `1:*` in an empty mailbox, which too many clients send to call it a mistake.
    private func isOpenEnded(_ set: SequenceSet) -> Bool {
        guard known.count == 0, case .ranges(let ranges) = set else { return false }
        return ranges.allSatisfy { $0.first == .last || $0.second == .last }
    }

    /// `uids` in the numbers that the client counts in.
    func numbers(of uids: UIDSet, _ numbering: Numbering) -> UIDSet {
        numbering == .uid ? uids : known.sequenceNumbers(of: uids)
    }
}

/// SELECT or EXAMINE.
enum SelectMode: Sendable {
    case readWrite, readOnly
}

extension UIDSet {
    /// The same numbers in sets of at most `size`.
    func batches(of size: Int) -> [UIDSet] {
        var batches: [UIDSet] = []
        var current: [ClosedRange<UInt32>] = []
        var room = size
        for range in ranges {
            var low = range.lowerBound
            while true {
                let count = Swift.min(Int(range.upperBound - low) + 1, room)
                let high = low + UInt32(count - 1)
                current.append(low...high)
                room -= count
                if room == 0 {
                    batches.append(UIDSet(current))
                    current = []
                    room = size
                }
                if high == range.upperBound { break }
                low = high + 1
            }
        }
        if !current.isEmpty { batches.append(UIDSet(current)) }
        return batches
    }
}
