import IMAP
import Mail
import Store

extension IMAPSession {
    /// LIST, plain and extended.
    ///
    /// RFC 9051 §6.3.9, RFC 5258 §3, RFC 5819 §2, RFC 6154 §2
    mutating func list(_ command: ListCommand) async throws(Refusal) -> Completion {
        let account = try account().account
        if !command.isExtended, command.patterns == [""] {
            writer.listSeparator(lsub: false)
            return Completion(nil, "LIST completed")
        }
        let mailboxes = try await storing {
            try await door.store.list(of: account, by: account)
        }
        let tree = MailboxTree(mailboxes)
        let patterns = command.patterns.map {
            MailboxPattern(reference: command.reference, pattern: $0)
        }
        for name in tree.names {
            let isMatch = patterns.contains { $0.matches(name) }
            guard isMatch, let entry = tree.entry(name, command, patterns, isRev2: client.isRev2)
            else { continue }
            writer.list(entry)
            if !command.status.isEmpty, let summary = tree.mailboxes[name] {
                try await writeStatus(summary, command.status)
            }
            try await flushSlice()
        }
        return Completion(nil, "LIST completed")
    }

    /// LSUB of IMAP4rev1: names subscribed to, and parents that only `%` brings up.
    ///
    /// RFC 3501 §6.3.9
    mutating func lsub(_ command: LsubCommand) async throws(Refusal) -> Completion {
        let account = try account().account
        if command.pattern.isEmpty {
            writer.listSeparator(lsub: true)
            return Completion(nil, "LSUB completed")
        }
        let mailboxes = try await storing {
            try await door.store.list(of: account, by: account)
        }
        let pattern = MailboxPattern(reference: command.reference, pattern: command.pattern)
        var told: Set<String> = []
        for name in mailboxes.subscriptions.sorted() {
            if pattern.matches(name) {
                if told.insert(name).inserted {
                    writer.lsub(ListEntry(name: MailboxName(name)))
                }
                continue
            }
            for parent in MailboxTree.ancestors(of: name)
            where pattern.matches(parent) && !mailboxes.subscriptions.contains(parent) {
                guard told.insert(parent).inserted else { continue }
                writer.lsub(ListEntry(name: MailboxName(parent), attributes: [.noSelect]))
            }
        }
        return Completion(nil, "LSUB completed")
    }
}

/// The mailboxes of an account with the names above them, as LIST looks at them.
struct MailboxTree {
    let mailboxes: [String: MailboxSummary]
    let subscriptions: Set<String>
    /// Mailboxes, names subscribed to, and every name above one of these; sorted, INBOX first.
    let names: [String]
    /// Names that have an existing mailbox below them.
    private let parents: Set<String>

    init(_ list: MailboxList) {
        mailboxes = Dictionary(list.mailboxes.map { ($0.name, $0) }) { first, _ in first }
        subscriptions = list.subscriptions
        var parents: Set<String> = []
        for name in mailboxes.keys { parents.formUnion(Self.ancestors(of: name)) }
        self.parents = parents
        var names = parents.union(mailboxes.keys).union(subscriptions)
        for name in subscriptions { names.formUnion(Self.ancestors(of: name)) }
        self.names = names.sorted { a, b in
            (a == "INBOX" ? 0 : 1, a) < (b == "INBOX" ? 0 : 1, b)
        }
    }

    /// `a/b` and `a` for `a/b/c`.
    static func ancestors(of name: String) -> [String] {
        var ancestors: [String] = []
        var rest = name[...]
        while let slash = rest.lastIndex(of: "/") {
            rest = rest[..<slash]
            if !rest.isEmpty { ancestors.append(String(rest)) }
        }
        return ancestors
    }

    /// The LIST response for a name that a pattern matches; nil when it is not selected.
    func entry(
        _ name: String,
        _ command: ListCommand,
        _ patterns: [MailboxPattern],
        isRev2: Bool
    ) -> ListEntry? {
        let isThere = mailboxes[name] != nil
        var childInfo: [String] = []
        if command.selection.contains(.recursiveMatch) {
            childInfo = self.childInfo(of: name, command.selection, patterns)
        }
        if command.selection.isDisjoint(with: [.subscribed, .specialUse]) {
            guard isThere || parents.contains(name) else { return nil }
        } else {
            guard isSelected(name, command.selection) || !childInfo.isEmpty else { return nil }
        }
        var entry = ListEntry(name: MailboxName(name), childInfo: childInfo)
        if !isThere {
            entry.attributes.append(command.isExtended || isRev2 ? .nonExistent : .noSelect)
        }
        entry.attributes.append(parents.contains(name) ? .hasChildren : .hasNoChildren)
        let tellsSubscribed =
            command.selection.contains(.subscribed) || command.returns.contains(.subscribed)
        if tellsSubscribed, subscriptions.contains(name) { entry.attributes.append(.subscribed) }
        if let use = mailboxes[name]?.specialUse { entry.specialUses = [use] }
        return entry
    }

    private func isSelected(_ name: String, _ selection: ListCommand.Selection) -> Bool {
        if selection.contains(.subscribed), !subscriptions.contains(name) { return false }
        if selection.contains(.specialUse), mailboxes[name]?.specialUse == nil { return false }
        return true
    }

    /// Which criteria are met by names below this one that no pattern brings up itself.
    ///
    /// RFC 5258 §3.5
    private func childInfo(
        of name: String,
        _ selection: ListCommand.Selection,
        _ patterns: [MailboxPattern]
    ) -> [String] {
        let prefix = name + "/"
        let hidden = names.contains { child in
            child.hasPrefix(prefix) && isSelected(child, selection)
                && !patterns.contains { $0.matches(child) }
        }
        guard hidden else { return [] }
        var met: [String] = []
        if selection.contains(.subscribed) { met.append("SUBSCRIBED") }
        if selection.contains(.specialUse) { met.append("SPECIAL-USE") }
        return met
    }
}
