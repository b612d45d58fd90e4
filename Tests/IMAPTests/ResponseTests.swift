import IMAP
import Mail
import Testing

@Suite struct ResponseTests {
    static func written(
        _ encoding: MailboxNameEncoding = .modifiedUTF7,
        _ body: (inout ResponseWriter) -> Void
    ) -> String {
        var writer = ResponseWriter()
        writer.encoding = encoding
        body(&writer)
        return String(decoding: writer.drain(), as: UTF8.self)
    }

    @Test func `Status responses carry their code`() {
        let set = UIDSet([1...3, 7...7])
        let cases: [(ResponseCode, String)] = [
            (.appendUID(UIDValidity(rawValue: 9), set), "APPENDUID 9 1:3,7"),
            (
                .copyUID(UIDValidity(rawValue: 9), source: set, destination: set),
                "COPYUID 9 1:3,7 1:3,7"
            ),
            (.badCharset(["UTF-8"]), "BADCHARSET (UTF-8)"),
            (.highestModSeq(ModSeq(rawValue: 5)), "HIGHESTMODSEQ 5"),
            (.modified(set), "MODIFIED 1:3,7"),
            (
                .permanentFlags([.seen, .deleted], newKeywords: true),
                "PERMANENTFLAGS (\\Seen \\Deleted \\*)"
            ),
            (.permanentFlags([], newKeywords: false), "PERMANENTFLAGS ()"),
            (.capability([.imap4rev2, .appendLimit(5)]), "CAPABILITY IMAP4rev2 APPENDLIMIT=5"),
            (.noPermission, "NOPERM"), (.readOnly, "READ-ONLY"), (.unknownCTE, "UNKNOWN-CTE"),
        ]
        for (code, expected) in cases {
            #expect(Self.written { $0.tagged("a", .ok, code, "x") } == "a OK [\(expected)] x\r\n")
        }
    }

    @Test func `A FETCH response holds its items in order`() {
        let line = Self.written { writer in
            writer.beginFetch(12)
            writer.fetchUID(99)
            writer.fetchFlags(system: 0b10001, keywords: ["$Junk"])
            writer.fetchModSeq(ModSeq(rawValue: 7))
            writer.fetchInternalDate(0)
            writer.fetchSize(10)
            writer.fetchReady("ENVELOPE", Array("(NIL)".utf8)[...])
            writer.endFetch()
        }
        #expect(
            line == "* 12 FETCH (UID 99 FLAGS (\\Seen \\Draft $Junk) MODSEQ (7) INTERNALDATE "
                + "\" 1-Jan-1970 00:00:00 +0000\" RFC822.SIZE 10 ENVELOPE (NIL))\r\n"
        )
    }

    @Test func `A keyword alone stands without a leading space`() {
        let line = Self.written { $0.fetchFlags(system: 0, keywords: ["a", "b"]) }
        #expect(line == " FLAGS (a b)")
    }

    @Test func `Section names are written as the client named them`() {
        let item = FetchItem.section(
            Section(part: [1, 2], text: .headerFields(["From", "X Y"])),
            peek: true,
            partial: Partial(offset: 5, count: 9)
        )
        let line = Self.written { writer in
            writer.beginFetch(1)
            writer.beginSection(item, size: 3)
        }
        #expect(line == "* 1 FETCH (BODY[1.2.HEADER.FIELDS (From \"X Y\")]<5> {3}\r\n")
    }

    @Test(arguments: [
        ("été", "&AOk-t&AOk-", "\"été\""), ("a b", "\"a b\"", "\"a b\""),
        ("NIL", "\"NIL\"", "\"NIL\""), ("a\"b", "\"a\\\"b\"", "\"a\\\"b\""), ("a&b", "a&-b", "a&b"),
    ])
    func `Mailbox names travel in the session's encoding`(name: String, utf7: String, utf8: String)
    {
        let entry = ListEntry(name: MailboxName(name), attributes: [.hasNoChildren])
        #expect(
            Self.written { $0.list(entry) } == "* LIST (\\HasNoChildren) \"/\" \(utf7)\r\n"
        )
        #expect(
            Self.written(.utf8) { $0.list(entry) } == "* LIST (\\HasNoChildren) \"/\" \(utf8)\r\n"
        )
    }

    @Test func `LIST tells special uses and child information`() {
        let entry = ListEntry(
            name: MailboxName("a"),
            attributes: [.subscribed],
            specialUses: [.drafts],
            childInfo: ["SUBSCRIBED"]
        )
        #expect(
            Self.written { $0.list(entry) }
                == "* LIST (\\Subscribed \\Drafts) \"/\" a (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
        )
    }

    @Test func `ESEARCH tells what was asked and leaves out an empty ALL`() {
        var result = ExtendedSearchResult()
        result.min = 1
        result.count = 0
        result.all = UIDSet()
        result.modSeq = ModSeq(rawValue: 3)
        #expect(
            Self.written { $0.extendedSearch(tag: "a", .uid, result) }
                == "* ESEARCH (TAG \"a\") UID MIN 1 COUNT 0 MODSEQ 3\r\n"
        )
    }

    @Test func `The other data responses keep their form`() {
        let lines = Self.written { writer in
            writer.status(.inbox, [(.messages, 1), (.uidNext, 2)])
            writer.namespace(personal: [""], others: [], shared: ["Shared/"])
            writer.quota(root: "a", [QuotaResource(name: "STORAGE", usage: 1, limit: 2)])
            writer.quotaRoot(of: .inbox, ["a"])
            writer.search(UIDSet([1...2]), modSeq: ModSeq(rawValue: 9))
            writer.vanished(UIDSet([4...5]), earlier: true)
            writer.id([IDField("name", "x"), IDField("os", nil)])
            writer.continuation()
            writer.listSeparator(lsub: false)
        }
        #expect(
            lines
                == """
                * STATUS INBOX (MESSAGES 1 UIDNEXT 2)\r
                * NAMESPACE (("" "/")) NIL (("Shared/" "/"))\r
                * QUOTA "a" (STORAGE 1 2)\r
                * QUOTAROOT INBOX "a"\r
                * SEARCH 1 2 (MODSEQ 9)\r
                * VANISHED (EARLIER) 4:5\r
                * ID ("name" "x" "os" NIL)\r
                + \r
                * LIST (\\Noselect) "/" ""\r\n
                """.replacing("\n\n", with: "\n")
        )
    }
}
