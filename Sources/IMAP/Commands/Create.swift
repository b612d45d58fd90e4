package import Mail
import Wire

/// CREATE, with the special use of CREATE-SPECIAL-USE.
///
/// RFC 9051 §6.3.4, RFC 6154 §3
package struct CreateCommand: Equatable, Sendable {
    package let mailbox: MailboxName
    /// True when the client wrote the name with a trailing separator: children are to come.
    package let isParent: Bool
    package let specialUses: [SpecialUse]

    init(parsing parser: inout Parser) throws(Refusal) {
        let name = try parser.spacedMailbox()
        isParent = name.text.hasSuffix(MailboxName.separator)
        mailbox = isParent ? MailboxName(String(name.text.dropLast())) : name
        guard parser.cursor.take(.space), !parser.cursor.isAtEnd else {
            specialUses = []
            return
        }
        var uses: [SpecialUse] = []
        try parser.list { (parser) throws(Refusal) in
            guard try parser.keyword() == "USE" else { throw .bad("Unknown CREATE parameter") }
            try parser.space()
            try parser.list { (parser) throws(Refusal) in uses.append(try parser.specialUse()) }
        }
        specialUses = uses
    }
}

extension Parser {
    /// RFC 6154 §3: an unknown use is refused with USEATTR.
    fileprivate mutating func specialUse() throws(Refusal) -> SpecialUse {
        try expect(.backslash)
        let name = try keyword()
        let use = SpecialUse.allCases.first { $0.rawValue.dropFirst().uppercased() == name }
        guard let use else { throw Refusal(.no, .useAttr, "Special use not supported") }
        return use
    }
}
