import Wire

/// What STATUS can be asked for, in the spelling of the wire.
///
/// RFC 9051 §6.3.11, RFC 7162 §3.1.7, RFC 7889 §5, RFC 9208 §4.4, RFC 8438 §2
package enum StatusItem: String, CaseIterable, Hashable, Sendable {
    case messages = "MESSAGES"
    case recent = "RECENT"
    case uidNext = "UIDNEXT"
    case uidValidity = "UIDVALIDITY"
    case unseen = "UNSEEN"
    case deleted = "DELETED"
    case deletedStorage = "DELETED-STORAGE"
    case size = "SIZE"
    case highestModSeq = "HIGHESTMODSEQ"
    case appendLimit = "APPENDLIMIT"
}

/// STATUS of one mailbox.
///
/// RFC 9051 §6.3.11
package struct StatusCommand: Equatable, Sendable {
    package let mailbox: MailboxName
    package let items: [StatusItem]

    init(parsing parser: inout Parser) throws(Refusal) {
        mailbox = try parser.spacedMailbox()
        try parser.space()
        items = try parser.statusItems()
    }
}

extension Parser {
    mutating func statusItems() throws(Refusal) -> [StatusItem] {
        var items: [StatusItem] = []
        try list { (parser) throws(Refusal) in
            guard let item = StatusItem(rawValue: try parser.keyword()) else {
                throw .bad("Unknown STATUS item")
            }
            if !items.contains(item) { items.append(item) }
        }
        guard !items.isEmpty else { throw .bad("STATUS needs items") }
        return items
    }
}
