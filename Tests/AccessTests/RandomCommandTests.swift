import Mail
import Testing

@testable import Access

/// Sessions of one account that do at random what the grammar allows, and some that it does not.
@Suite struct RandomCommandTests {
    @Test(arguments: [[1, 2, 3], [4, 5, 6]])
    func `Random commands of several sessions leave the server up and the store consistent`(
        seeds: [Int]
    ) async throws {
        var options = IMAPRig.Options()
        options.settings.badCommands = 1_000_000
        try await IMAPRig.with(options) { rig in
            let port = "\(try #require(rig.endpoint.port))"
            let result = try await Program.run(
                ["python3", "-", port, "400"] + seeds.map { "\($0)" },
                input: Self.script
            )
            #expect(result.output == "all well\n", "\(result.output)")
            let findings = try await rig.store.check()
            #expect(findings.isEmpty, "\(findings)")
        }
    }

    private static let script = #"""
        import random, socket, sys, threading

        port, count = int(sys.argv[1]), int(sys.argv[2])
        FLAGS = ["\\Seen", "\\Deleted", "$Work", "\\Draft", "kw%d", "\\Recent", "\\Flagged", "a]b"]
        ITEMS = ["FLAGS", "UID", "ENVELOPE", "BODYSTRUCTURE", "BODY", "INTERNALDATE", "RFC822.SIZE", "MODSEQ",
            "BODY[]", "BODY.PEEK[]<0.100>", "BODY.PEEK[HEADER.FIELDS (Subject)]", "BODY.PEEK[1.1.1]",
            "BODY.PEEK[1.MIME]", "BINARY.PEEK[1]", "BINARY.SIZE[1]", "BODY.PEEK[]<4294967295.4294967295>",
            "BODY.PEEK[TEXT]<5.4294967295>", "RFC822.HEADER", "BODY.PEEK[4294967295]",
            "BINARY.PEEK[]<4294967295.1>", "BODY.PEEK[HEADER]<70000.1>"]
        KEYS = ["ALL", "SEEN", "UNSEEN", "RECENT", "NEW", "OLD", "DELETED", "KEYWORD kw1", "LARGER 0",
            "SMALLER 18446744073709551615", "BEFORE 1-Jan-9999", "SINCE 1-Jan-0000", "SENTON 29-Feb-2024",
            "TEXT a", 'BODY ""', "SUBJECT b", 'HEADER X ""', "MODSEQ 0", "MODSEQ 9223372036854775807",
            "UID 1:*", "1:*", "$", "(SEEN DRAFT)"]
        BOXES = ["INBOX", "a", "a/b", "c", "Archive", '""', "&AOk-", '"x y"', "a/", "*", "inbox/z", "/", "a//b"]
        MAIL = ("From: a@b\r\nSubject: hello b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n"
            "aaa\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--x--\r\n")
        LITERAL = "{%d+}\r\n%s" % (len(MAIL), MAIL)

        def number(r):
            return r.choice(["1", "*", "0", "4294967295", "4294967296", "2", "3:*", "*:5", "1:4294967295",
                "7:2", "$", "1,3,5:9", "18446744073709551616", ""])
        def flags(r):
            return "(" + " ".join(f.replace("%d", str(r.randint(0, 200))) for f in r.sample(FLAGS, r.randint(0, 4))) + ")"
        def key(r, depth=0):
            k = r.random()
            if depth < 4 and k < .2: return "NOT " + key(r, depth + 1)
            if depth < 4 and k < .4: return "OR " + key(r, depth + 1) + " " + key(r, depth + 1)
            return r.choice(KEYS)
        def command(r):
            uid = r.choice(["", "UID "])
            return r.choice([
                lambda: uid + "FETCH " + number(r) + " (" + " ".join(r.sample(ITEMS, r.randint(1, 5))) + ")"
                    + r.choice(["", " (CHANGEDSINCE 3)", " (CHANGEDSINCE 0 VANISHED)", " (CHANGEDSINCE 9223372036854775807)"]),
                lambda: uid + "STORE " + number(r)
                    + r.choice(["", " (UNCHANGEDSINCE 5)", " (UNCHANGEDSINCE 0)", " (UNCHANGEDSINCE 9223372036854775807)"])
                    + r.choice([" +", " -", " "]) + "FLAGS" + r.choice(["", ".SILENT"]) + " " + flags(r),
                lambda: uid + "SEARCH " + r.choice(["", "RETURN (SAVE) ", "RETURN (MIN MAX COUNT ALL) ", "RETURN (SAVE MIN) ", "RETURN () "])
                    + " ".join(key(r) for _ in range(r.randint(1, 3))),
                lambda: uid + r.choice(["COPY ", "MOVE "]) + number(r) + " " + r.choice(BOXES),
                lambda: "EXPUNGE", lambda: "UID EXPUNGE " + number(r),
                lambda: r.choice(["SELECT ", "EXAMINE "]) + r.choice(BOXES) + r.choice(["", " (CONDSTORE)", " (QRESYNC (1 1))",
                    " (QRESYNC (%d %d 1:%d))" % (r.randint(1, 9), r.randint(1, 99), r.randint(1, 4294967295)),
                    " (QRESYNC (1 1 1:4294967295 (1:4294967295 1:4294967295)))"]),
                lambda: "SELECT INBOX", lambda: "SELECT INBOX",
                lambda: "ENABLE " + r.choice(["QRESYNC", "CONDSTORE", "IMAP4rev2"]),
                lambda: "LIST " + r.choice(["", "(SUBSCRIBED RECURSIVEMATCH) ", "(SPECIAL-USE) "]) + '"" '
                    + r.choice(["*", "%", '""', "a*%b", "(a b*)"])
                    + r.choice(["", " RETURN (STATUS (MESSAGES SIZE DELETED-STORAGE) CHILDREN)"]),
                lambda: 'LSUB "" ' + r.choice(["*", "%"]),
                lambda: "STATUS " + r.choice(BOXES) + " (MESSAGES UNSEEN SIZE DELETED DELETED-STORAGE HIGHESTMODSEQ)",
                lambda: "CREATE " + r.choice(BOXES), lambda: "DELETE " + r.choice(["a", "a/b", "c", "inbox/z"]),
                lambda: "RENAME " + r.choice(BOXES) + " " + r.choice(BOXES), lambda: "SUBSCRIBE " + r.choice(BOXES),
                lambda: "CLOSE", lambda: "UNSELECT", lambda: "NOOP", lambda: "IDLE\r\nDONE",
                lambda: "GETQUOTAROOT INBOX", lambda: "NAMESPACE",
                lambda: "APPEND " + r.choice(BOXES) + " " + flags(r) + " " + LITERAL,
                lambda: "APPEND INBOX " + LITERAL + " ~" + LITERAL,
            ])()

        failures = []
        def client(seed):
            r, done = random.Random(seed), 0
            while done < count and not failures:
                with socket.create_connection(("127.0.0.1", port), 30) as s:
                    f, said = s.makefile("rb"), b""
                    f.readline()
                    s.sendall(b"l LOGIN anne demo\r\n")
                    while not f.readline().startswith(b"l "): pass
                    while done < count:
                        text, tag, done = command(r), b"t%d " % done, done + 1
                        s.sendall(tag + text.encode() + b"\r\n")
                        line = b"?"
                        while line and not line.startswith(tag):
                            line = f.readline()
                            said += line if line.startswith(b"* BYE") else b""
                        if b"BUG]" in line or b"[UNAVAIL" in line or b"[CORRUPT" in line or not line and not said:
                            failures.append((seed, done, text, line))
                        if said or failures: break

        threads = [threading.Thread(target=client, args=(int(seed),)) for seed in sys.argv[3:]]
        for t in threads: t.start()
        for t in threads: t.join()
        print(failures or "all well")
        """#
}
