package import Mail
import Wire

/// One LIST or LSUB response.
///
/// RFC 9051 §7.3.1
package struct ListEntry: Equatable, Sendable {
    package enum Attribute: String, Hashable, Sendable {
        case nonExistent = "\\NonExistent"
        case noInferiors = "\\Noinferiors"
        case noSelect = "\\Noselect"
        case hasChildren = "\\HasChildren"
        case hasNoChildren = "\\HasNoChildren"
        case marked = "\\Marked"
        case unmarked = "\\Unmarked"
        case subscribed = "\\Subscribed"
        case remote = "\\Remote"
    }

    package let name: MailboxName
    package var attributes: [Attribute]
    package var specialUses: [SpecialUse]
    /// Selection options that descendants meet, as in `("SUBSCRIBED")`.
    ///
    /// RFC 5258 §3.5
    package var childInfo: [String]
    /// The name the client used, when INBOX or a rename made it another.
    package var oldName: MailboxName?

    package init(
        name: MailboxName,
        attributes: [Attribute] = [],
        specialUses: [SpecialUse] = [],
        childInfo: [String] = []
    ) {
        self.name = name
        self.attributes = attributes
        self.specialUses = specialUses
        self.childInfo = childInfo
    }
}

/// The usage and limit of one resource of a quota root.
///
/// RFC 9208 §4.2.1
package struct QuotaResource: Equatable, Sendable {
    package let name: String
    package let usage: Int64
    package let limit: Int64

    package init(name: String, usage: Int64, limit: Int64) {
        self.name = name
        self.usage = usage
        self.limit = limit
    }
}

extension ResponseWriter {
    package mutating func list(_ entry: ListEntry) {
        write(entry, "* LIST (")
        if !entry.childInfo.isEmpty || entry.oldName != nil {
            bytes.append(" (")
            if !entry.childInfo.isEmpty {
                bytes.append("\"CHILDINFO\" (")
                for (index, option) in entry.childInfo.enumerated() {
                    if index > 0 { bytes.append(.space) }
                    bytes.quote(option.utf8)
                }
                bytes.append(0x29)
                if entry.oldName != nil { bytes.append(.space) }
            }
            if let oldName = entry.oldName {
                bytes.append("\"OLDNAME\" (")
                bytes.append(oldName, encoding)
                bytes.append(0x29)
            }
            bytes.append(0x29)
        }
        bytes.appendCRLF()
    }

    /// Writes a LSUB response.
    ///
    /// RFC 3501 §7.2.3
    package mutating func lsub(_ entry: ListEntry) {
        write(entry, "* LSUB (")
        bytes.appendCRLF()
    }

    /// The answer to LIST with an empty pattern: the separator and the root's name.
    ///
    /// RFC 9051 §6.3.9
    package mutating func listSeparator(lsub: Bool) {
        bytes.append(lsub ? "* LSUB" : "* LIST")
        bytes.append(" (\\Noselect) \"/\" \"\"\r\n")
    }

    private mutating func write(_ entry: ListEntry, _ start: StaticString) {
        bytes.append(start)
        var isFirst = true
        for word in entry.attributes.map(\.rawValue) + entry.specialUses.map(\.rawValue) {
            if !isFirst { bytes.append(.space) }
            isFirst = false
            bytes.append(text: word)
        }
        bytes.append(") \"/\" ")
        bytes.append(entry.name, encoding)
    }

    /// Writes a STATUS response.
    ///
    /// RFC 9051 §7.3.4
    package mutating func status(_ name: MailboxName, _ values: [(StatusItem, Int64)]) {
        bytes.append("* STATUS ")
        bytes.append(name, encoding)
        bytes.append(" (")
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(.space) }
            bytes.append(text: value.0.rawValue)
            bytes.append(.space)
            bytes.append(decimal: value.1)
        }
        bytes.append(0x29)
        bytes.appendCRLF()
    }

    /// Prefixes of the personal, other users' and shared namespaces; empty for NIL.
    ///
    /// RFC 9051 §7.3.3, RFC 2342 §5
    package mutating func namespace(personal: [String], others: [String], shared: [String]) {
        bytes.append("* NAMESPACE")
        for prefixes in [personal, others, shared] {
            bytes.append(.space)
            guard !prefixes.isEmpty else {
                bytes.append("NIL")
                continue
            }
            bytes.append(0x28)
            for prefix in prefixes {
                bytes.append(0x28)
                let name = MailboxName(prefix).bytes(in: encoding)
                encoding == .utf8 ? bytes.quote(name) : bytes.append(string: name)
                bytes.append(" \"/\")")
            }
            bytes.append(0x29)
        }
        bytes.appendCRLF()
    }

    /// Tells the usage and limits of a quota root.
    ///
    /// RFC 9208 §4.2.1
    package mutating func quota(root: String, _ resources: [QuotaResource]) {
        bytes.append("* QUOTA ")
        bytes.append(string: root.utf8)
        bytes.append(" (")
        for (index, resource) in resources.enumerated() {
            if index > 0 { bytes.append(.space) }
            bytes.append(text: resource.name)
            bytes.append(.space)
            bytes.append(decimal: resource.usage)
            bytes.append(.space)
            bytes.append(decimal: resource.limit)
        }
        bytes.append(0x29)
        bytes.appendCRLF()
    }

    /// Tells which quota roots a mailbox has.
    ///
    /// RFC 9208 §4.2.2
    package mutating func quotaRoot(of mailbox: MailboxName, _ roots: [String]) {
        bytes.append("* QUOTAROOT ")
        bytes.append(mailbox, encoding)
        for root in roots {
            bytes.append(.space)
            bytes.append(string: root.utf8)
        }
        bytes.appendCRLF()
    }
}
