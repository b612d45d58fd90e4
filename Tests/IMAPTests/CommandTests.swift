import IMAP
import Mail
import Testing

@Suite struct CommandTests {
    static func parse(
        _ text: String,
        _ messages: [String] = [],
        encoding: MailboxNameEncoding = .modifiedUTF7
    ) throws -> Command {
        try TaggedCommand(
            parsing: CommandText(
                text: Array("t \(text)".utf8)[...],
                messages: messages.map { Array($0.utf8) }
            ),
            encoding: encoding
        ).command
    }

    @Test(arguments: [
        "CAPABILITY", "NOOP", "LOGOUT", "STARTTLS", "CHECK", "CLOSE", "UNSELECT", "EXPUNGE", "IDLE",
        "NAMESPACE", "noop ", "ID NIL", "ID ()", "ID (\"name\" \"x\" \"os\" NIL)",
        "LOGIN anne \"de\\\"mo\"", "LOGIN {4}\r\nanne {4+}\r\ndemo", "AUTHENTICATE PLAIN",
        "AUTHENTICATE PLAIN =", "AUTHENTICATE PLAIN AGFubmUAZGVtbw==", "ENABLE CONDSTORE QRESYNC",
        "SELECT inbox", "SELECT \"\" (CONDSTORE)", "SELECT a (QRESYNC (1 2))",
        "SELECT a (QRESYNC (1 2 1:5,7 (1:2 3:4)))", "EXAMINE a (QRESYNC (1 2 (1:2 3:4)))",
        "CREATE a/", "CREATE a (USE (\\Drafts \\Sent))", "DELETE a", "RENAME a b", "SUBSCRIBE a",
        "UNSUBSCRIBE a", "LIST \"\" *", "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (a% b*) RETURN ()",
        "LIST \"\" % RETURN (CHILDREN STATUS (MESSAGES UNSEEN) SPECIAL-USE)", "LSUB \"\" %",
        "STATUS a (MESSAGES SIZE HIGHESTMODSEQ)", "COMPRESS DEFLATE", "GETQUOTA \"\"",
        "GETQUOTAROOT INBOX", "SETQUOTA \"\" (STORAGE 512)", "UID EXPUNGE 1:*", "COPY 1 a",
        "UID COPY 1,2:4 a", "MOVE $ a", "UID MOVE *:1 a", "FETCH 1:* FAST", "FETCH 1 ALL",
        "FETCH 1 FULL", "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)", "FETCH 1 BODY[]",
        "FETCH 1 (BODY.PEEK[1.2.HEADER.FIELDS (From \"To\")]<0.10> RFC822.SIZE MODSEQ)",
        "FETCH 1 (BINARY[1] BINARY.PEEK[]<1.2> BINARY.SIZE[1.2] RFC822 RFC822.TEXT)",
        "STORE 1 FLAGS ()", "STORE 1 +FLAGS.SILENT (\\Seen $Junk)", "STORE 1 -FLAGS \\Seen \\Draft",
        "UID STORE 1:* (UNCHANGEDSINCE 5) +FLAGS (a)", "SEARCH ALL", "SEARCH NOT SEEN 1:3",
        "SEARCH RETURN (MIN SAVE) CHARSET utf-8 OR (FROM a TO b) NOT (TEXT {2}\r\nab)",
        "UID SEARCH RETURN () BEFORE 1-Jan-2020 SENTSINCE \"2-Feb-2021\" LARGER 5000000000",
        "SEARCH MODSEQ \"/flags/\\\\Draft\" all 62", "SEARCH KEYWORD $Junk UID 1:* $ NEW OLD",
        "SEARCH HEADER X-A \"\"",
    ])
    func `Every command of the grammar is read`(text: String) throws {
        _ = try Self.parse(text)
    }

    @Test(arguments: [
        "", "FOO", "NOOP x", "LOGIN a", "LOGIN a b c", "SELECT", "SELECT a (FOO)", "FETCH 0 FLAGS",
        "FETCH 1 (FLAGS", "FETCH 1 BODY[", "FETCH 1 BODY[MIME]", "FETCH 1 BODY[]<1>",
        "FETCH 1 BODY[]<1.0>", "FETCH 1 (FLAGS) (VANISHED)", "STORE 1 FLAGS \\Recent",
        "STORE 1 FLAGS \\Foo", "SEARCH", "SEARCH FOO", "SEARCH BEFORE 31-Feb-2020", "SEARCH (ALL",
        "LIST (RECURSIVEMATCH) \"\" *", "LIST \"\"", "STATUS a ()", "COPY 1", "UID NOOP",
        "SELECT a (QRESYNC (1 2 *))", "SELECT a (QRESYNC (1 2 1:3 (1:2 3)))", "LOGIN \"a b",
        "LOGIN a \"b\\c\"", "AUTHENTICATE", "SEARCH 1,,2", "SEARCH 99999999999", "ENABLE",
        "GETQUOTA", "CREATE a (USE", "APPEND a {3}\r\n", "ID", "FETCH 1 HEADER",
    ])
    func `What the grammar does not know is BAD`(text: String) {
        let refusal = #expect(throws: Refusal.self) { try Self.parse(text) }
        #expect(refusal?.condition == .bad)
        #expect(refusal?.tag == "t")
    }

    @Test func `A line without a tag is refused without one`() {
        for text in ["", " ", "+ NOOP", "(x) NOOP", "é NOOP"] {
            let refusal = #expect(throws: Refusal.self) {
                try TaggedCommand(
                    parsing: CommandText(text: Array(text.utf8)[...], messages: [])
                )
            }
            #expect(refusal?.tag == nil)
        }
    }

    @Test func `QRESYNC gives what the client knows`() throws {
        guard
            case .select(let select) = try Self.parse(
                "SELECT INBOX (QRESYNC (67890007 20050715194045000 41,43:211 (1,3 41,43)))"
            )
        else { throw Refusal(.bad, nil, "other command") }
        #expect(select.quickResync?.uidValidity.rawValue == 67_890_007)
        #expect(select.quickResync?.modSeq.rawValue == 20_050_715_194_045_000)
        #expect(select.quickResync?.knownUIDs?.description == "41,43:211")
        #expect(select.quickResync?.match?.sequenceNumbers.description == "1,3")
        #expect(select.quickResync?.match?.uids.description == "41,43")
    }

    @Test func `SEARCH keys nest as written`() throws {
        guard case .search(let search) = try Self.parse("SEARCH OR SEEN (FROM a NOT 1:2) UNDRAFT")
        else { throw Refusal(.bad, nil, "other command") }
        #expect(
            search.key
                == .and([
                    .or(
                        .flag(.seen),
                        .and([
                            .header(name: "from", value: Array("a".utf8)),
                            .not(
                                .sequence(
                                    .ranges([SequenceSet.Range(.number(1), .number(2))])
                                )
                            ),
                        ])
                    ),
                    .not(.flag(.draft)),
                ])
        )
    }

    @Test func `SEARCH refuses to nest without end`() {
        let deep = String(repeating: "NOT ", count: 10_000) + "ALL"
        let refusal = #expect(throws: Refusal.self) { try Self.parse("SEARCH \(deep)") }
        #expect(refusal?.code == .limit)
    }

    @Test func `APPEND takes several messages with their own flags and dates`() throws {
        guard
            case .append(let append) = try Self.parse(
                "APPEND {5}\r\nINBOX (\\Seen \\Recent) \" 1-Jan-1970 01:00:01 +0100\" {1}\r\n ~{2}\r\n",
                ["a", "bc"]
            )
        else { throw Refusal(.bad, nil, "other command") }
        #expect(append.mailbox == .inbox)
        #expect(append.messages.count == 2)
        #expect(append.messages[0].flags == [.seen])
        #expect(append.messages[0].internalDate == 1)
        #expect(append.messages[1].isBinary)
        #expect(append.messages[1].internalDate == nil)
    }

    @Test(arguments: [
        ("inbox", "INBOX"), ("InBoX/a", "INBOX/a"), ("inboxes", "inboxes"),
        ("&AOk-t&AOk-", "été"), ("a&-b", "a&b"),
    ])
    func `Mailbox names are decoded`(wire: String, name: String) throws {
        #expect(try Self.parse("DELETE \(wire)") == .delete(MailboxName(name)))
    }

    @Test func `After ENABLE a name is UTF-8 and an ampersand is just one`() throws {
        #expect(
            try Self.parse("DELETE \"été &AOk-\"", encoding: .utf8)
                == .delete(MailboxName("été &AOk-"))
        )
    }

    @Test(arguments: ["&", "&AA", "&AOk-&AOk-", "a\u{7F}b"])
    func `A name that is not modified UTF-7 is NO`(wire: String) {
        let refusal = #expect(throws: Refusal.self) { try Self.parse("DELETE \"\(wire)\"") }
        #expect(refusal?.condition == .no)
    }

    @Test(arguments: [
        ("1:*", 10, "1:10"), ("*", 10, "10"), ("15:*", 10, "10:15"), ("*:3", 0, ""),
        ("5,1:2,2:3", 0, "1:3,5"), ("4294967295", 1, "4294967295"), ("9:7", 10, "7:9"),
    ])
    func `Sequence sets resolve`(text: String, last: UInt32, expected: String) throws {
        guard case .uidExpunge(let set) = try Self.parse("UID EXPUNGE \(text)") else {
            throw Refusal(.bad, nil, "other command")
        }
        #expect(set.numbers(last: last).description == expected)
    }

    @Test(arguments: [-86_401, -1, 0, 951_782_400, 1_709_164_799, 1_709_164_800, 4_102_444_799])
    func `Dates read back as they were written`(seconds: Int64) throws {
        var bytes: [UInt8] = []
        bytes.append(dateTime: seconds)
        let date = String(decoding: bytes, as: UTF8.self)
        guard case .append(let append) = try Self.parse("APPEND a \(date) {1}\r\n", ["x"]) else {
            throw Refusal(.bad, nil, "other command")
        }
        #expect(append.messages[0].internalDate == seconds)
    }
}
