/// Every command of the protocol with its arguments.
///
/// RFC 9051 §6, RFC 3501 §6
package enum Command: Equatable, Sendable {
    // Any state.
    case capability
    case noop
    case logout
    /// RFC 2971 §3.1; nil for NIL.
    case id([IDField]?)

    // Not authenticated.
    case startTLS
    case authenticate(AuthenticateCommand)
    case login(LoginCommand)

    // Authenticated.
    case enable([String])
    case select(SelectCommand)
    case examine(SelectCommand)
    case create(CreateCommand)
    case delete(MailboxName)
    case rename(from: MailboxName, to: MailboxName)
    case subscribe(MailboxName)
    case unsubscribe(MailboxName)
    case list(ListCommand)
    case lsub(LsubCommand)
    case namespace
    case status(StatusCommand)
    case append(AppendCommand)
    /// RFC 2177 §3
    case idle
    /// RFC 4978 §3; the mechanism in upper case.
    case compress(String)
    /// RFC 9208 §4.1
    case getQuota(root: String)
    case getQuotaRoot(MailboxName)
    case setQuota(SetQuotaCommand)

    // Selected.
    case check
    case close
    /// RFC 3691 §2
    case unselect
    case expunge
    /// RFC 4315 §2.1
    case uidExpunge(SequenceSet)
    case search(SearchCommand)
    case fetch(FetchCommand)
    case store(StoreCommand)
    case copy(CopyCommand)
    /// RFC 6851 §3.1
    case move(CopyCommand)
}

/// Whether a command counts messages by sequence number or by UID.
package enum Numbering: Hashable, Sendable {
    case sequence, uid
}

/// A command with the tag its response will carry.
package struct TaggedCommand: Equatable, Sendable {
    package let tag: String
    package let command: Command
}

extension TaggedCommand {
    /// Parses one whole command.
    ///
    /// RFC 9051 §9: `command`
    package init(
        parsing text: CommandText,
        encoding: MailboxNameEncoding = .modifiedUTF7
    ) throws(Refusal) {
        guard let tag = Parser.tag(of: text.text) else { throw .bad("Invalid tag") }
        var parser = Parser(text.text, encoding: encoding, messages: text.messages)
        _ = parser.cursor.take(count: tag.utf8.count)
        do throws(Refusal) {
            try parser.space()
            let name = try parser.keyword()
            command = try Self.arguments(of: name, &parser)
            try parser.end()
        } catch {
            throw Refusal(tag: tag, error.condition, error.code, error.text)
        }
        self.tag = tag
    }

    /// The table of commands: a new one is a case above, a line here and a file in `Commands`.
    private static func arguments(
        of name: String,
        _ parser: inout Parser
    ) throws(Refusal) -> Command {
        switch name {
        case "APPEND": .append(try AppendCommand(parsing: &parser))
        case "AUTHENTICATE": .authenticate(try AuthenticateCommand(parsing: &parser))
        case "CAPABILITY": .capability
        case "CHECK": .check
        case "CLOSE": .close
        case "COMPRESS": .compress(try parser.spacedKeyword())
        case "COPY": .copy(try CopyCommand(parsing: &parser, .sequence))
        case "CREATE": .create(try CreateCommand(parsing: &parser))
        case "DELETE": .delete(try parser.spacedMailbox())
        case "ENABLE": .enable(try parser.enable())
        case "EXAMINE": .examine(try SelectCommand(parsing: &parser))
        case "EXPUNGE": .expunge
        case "FETCH": .fetch(try FetchCommand(parsing: &parser, .sequence))
        case "GETQUOTA": .getQuota(root: try parser.spacedText())
        case "GETQUOTAROOT": .getQuotaRoot(try parser.spacedMailbox())
        case "ID": .id(try parser.id())
        case "IDLE": .idle
        case "LIST": .list(try ListCommand(parsing: &parser))
        case "LOGIN": .login(try LoginCommand(parsing: &parser))
        case "LOGOUT": .logout
        case "LSUB": .lsub(try LsubCommand(parsing: &parser))
        case "MOVE": .move(try CopyCommand(parsing: &parser, .sequence))
        case "NAMESPACE": .namespace
        case "NOOP": .noop
        case "RENAME":
            .rename(from: try parser.spacedMailbox(), to: try parser.spacedMailbox())
        case "SEARCH": .search(try SearchCommand(parsing: &parser, .sequence))
        case "SELECT": .select(try SelectCommand(parsing: &parser))
        case "SETQUOTA": .setQuota(try SetQuotaCommand(parsing: &parser))
        case "STARTTLS": .startTLS
        case "STATUS": .status(try StatusCommand(parsing: &parser))
        case "STORE": .store(try StoreCommand(parsing: &parser, .sequence))
        case "SUBSCRIBE": .subscribe(try parser.spacedMailbox())
        case "UID": try uidArguments(&parser)
        case "UNSELECT": .unselect
        case "UNSUBSCRIBE": .unsubscribe(try parser.spacedMailbox())
        default: throw .bad("Unknown command")
        }
    }

    /// The commands behind the word UID.
    ///
    /// RFC 9051 §6.4.9
    private static func uidArguments(_ parser: inout Parser) throws(Refusal) -> Command {
        try parser.space()
        return switch try parser.keyword() {
        case "COPY": .copy(try CopyCommand(parsing: &parser, .uid))
        case "EXPUNGE": .uidExpunge(try parser.spacedSet())
        case "FETCH": .fetch(try FetchCommand(parsing: &parser, .uid))
        case "MOVE": .move(try CopyCommand(parsing: &parser, .uid))
        case "SEARCH": .search(try SearchCommand(parsing: &parser, .uid))
        case "STORE": .store(try StoreCommand(parsing: &parser, .uid))
        default: throw .bad("Unknown UID command")
        }
    }
}

extension Parser {
    mutating func spacedMailbox() throws(Refusal) -> MailboxName {
        try space()
        return try mailbox()
    }

    mutating func spacedKeyword() throws(Refusal) -> String {
        try space()
        return try keyword()
    }

    mutating func spacedText() throws(Refusal) -> String {
        try space()
        return try text()
    }

    mutating func spacedSet() throws(Refusal) -> SequenceSet {
        try space()
        return try sequenceSet()
    }
}
