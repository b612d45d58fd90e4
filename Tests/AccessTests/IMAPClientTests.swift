import Foundation
import Mail
import TestRig
import Testing

/// Clients that are not ours, against the real door.
@Suite struct IMAPClientTests {
    @Test func `Python's imaplib appends, searches, stores, copies and expunges`() async throws {
        try await IMAPRig.with { rig in
            let result = try await Program.run(
                ["python3", "-", "\(try #require(rig.endpoint.port))"],
                input: Self.imaplib
            )
            #expect(result.status == 0, "\(result.output)")
            #expect(result.output.contains("all well"), "\(result.output)")
        }
    }

    @Test func `A SCRAM client in Python proves its password, and the server its own knowledge`()
        async throws
    {
        try await IMAPRig.with { rig in
            let result = try await Program.run(
                ["python3", "-", "\(try #require(rig.endpoint.port))"],
                input: Self.scram
            )
            #expect(result.output == "mutual\nrefused\n", "\(result.output)")
        }
    }

    @Test func `curl lists, reads and uploads`() async throws {
        try await IMAPRig.with { rig in
            let url = "imap://127.0.0.1:\(try #require(rig.endpoint.port))"
            try await rig.deliver(IMAPRig.plain(1))
            let read = try await Program.run([
                "curl", "-sS", "-u", "anne:demo", "\(url)/INBOX;UID=1",
            ])
            #expect(read.output == IMAPRig.plain(1))
            let upload = try await Program.run(
                ["curl", "-sS", "-u", "anne:demo", "\(url)/Drafts", "-T", "-"],
                input: IMAPRig.plain(2)
            )
            // curl cannot announce the size of a pipe; a refusal must come and not a hang.
            #expect(upload.status != 0 || upload.output.isEmpty)
            let list = try await Program.run(["curl", "-sS", "-u", "anne:demo", url + "/"])
            #expect(list.output.contains("* LIST (\\HasNoChildren) \"/\" INBOX"))
            let wrong = try await Program.run(["curl", "-sS", "-u", "anne:no", url + "/"])
            #expect(wrong.status == 67, "\(wrong.output)")
        }
    }

    @Test func `mbsync synchronizes both ways, and a second time changes nothing`() async throws {
        try await IMAPRig.with { rig in
            let folder = try TemporaryFolder.make()
            defer { TemporaryFolder.remove(folder) }
            for number in 1...9 {
                try await rig.deliver(
                    IMAPRig.plain(number),
                    flags: number % 3 == 0 ? [.seen, .flagged] : []
                )
            }
            try await rig.store.create("Été/Projets", in: rig.account.id, by: rig.account.id)
            try await rig.deliver(IMAPRig.parts, to: "Été/Projets")
            try FileManager.default.createDirectory(
                atPath: folder + "/mail",
                withIntermediateDirectories: false
            )
            let configuration = folder + "/mbsyncrc"
            try Self.mbsyncrc(try #require(rig.endpoint.port), folder)
                .write(toFile: configuration, atomically: true, encoding: .utf8)
            func sync() async throws -> String {
                let result = try await Program.run(["mbsync", "-c", configuration, "-V", "all"])
                #expect(result.status == 0, "\(result.output)")
                return result.output
            }
            _ = try await sync()
            let fetched =
                try FileManager.default.contentsOfDirectory(
                    atPath: folder + "/mail/INBOX/new"
                ).count
                + FileManager.default.contentsOfDirectory(
                    atPath: folder + "/mail/INBOX/cur"
                ).count
            #expect(fetched == 9)
            // A message written here goes there, and a flag set here as well.
            try IMAPRig.plain(10).replacingOccurrences(of: "\r\n", with: "\n").write(
                toFile: folder + "/mail/INBOX/new/1700000001.1_1.test",
                atomically: true,
                encoding: .utf8
            )
            _ = try await sync()
            let image = try await rig.store.open("INBOX", in: rig.account.id, by: rig.account.id)
            let before = try await rig.store.refresh(image)
            #expect(before.count == 10)
            _ = try await sync()
            let after = try await rig.store.refresh(image)
            #expect(after.highestModSeq == before.highestModSeq)
            #expect(after.uidNext == before.uidNext)
        }
    }

    private static func mbsyncrc(_ port: UInt16, _ folder: String) -> String {
        """
        IMAPAccount relais
        Host 127.0.0.1
        Port \(port)
        User anne
        Pass demo
        SSLType None
        AuthMechs LOGIN

        IMAPStore far
        Account relais

        MaildirStore near
        Path \(folder)/mail/
        Inbox \(folder)/mail/INBOX
        SubFolders Verbatim

        Channel all
        Far :far:
        Near :near:
        Patterns *
        Create Both
        Expunge Both
        SyncState *

        """
    }

    private static let imaplib = #"""
        import imaplib, sys, email, time
        M = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
        assert "IMAP4REV1" in M.capabilities, M.capabilities
        try:
            M.login("anne", "wrong")
            raise SystemExit("logged in with a wrong password")
        except imaplib.IMAP4.error:
            pass
        M.login("anne", "demo")
        assert M.enable("CONDSTORE")[0] == "OK"
        body = b"From: a@demo.example\r\nSubject: one\r\n\r\n" + b"line\r\n" * 20000
        for n in range(5):
            typ, data = M.append("INBOX", "(\\Seen)" if n == 0 else None,
                imaplib.Time2Internaldate(1700000000 + n), body.replace(b"one", b"nr %d" % n))
            assert typ == "OK" and b"APPENDUID" in data[0], data
        typ, data = M.select("INBOX")
        assert data == [b"5"], data
        typ, data = M.fetch("1:*", "(UID FLAGS RFC822.SIZE ENVELOPE)")
        assert len(data) == 5 and b"\\Seen" in data[0] and b"nr 4" in data[4], data
        typ, data = M.fetch("2", "(BODY.PEEK[])")
        assert data[0][1] == body.replace(b"one", b"nr 1"), len(data[0][1])
        assert email.message_from_bytes(data[0][1])["Subject"] == "nr 1"
        assert M.search(None, "SUBJECT", '"nr 3"')[1] == [b"4"]
        assert M.uid("SEARCH", "UNSEEN")[1] == [b"2 3 4 5"]
        assert M.store("2:3", "+FLAGS", "\\Deleted")[0] == "OK"
        assert M.copy("1,5", "Archive")[0] == "OK"
        assert M.expunge()[1] == [b"3", b"2"]
        assert M.status("Archive", "(MESSAGES UIDNEXT)")[1] == [b'Archive (MESSAGES 2 UIDNEXT 3)']
        assert M.create('"Mes &AOk-t&AOk-s"')[0] == "OK"
        assert any(b"Mes &AOk-t&AOk-s" in l for l in M.list()[1])
        assert M.rename('"Mes &AOk-t&AOk-s"', "Plain")[0] == "OK"
        assert M.delete("Plain")[0] == "OK"
        assert M.select("Plain")[0] == "NO"
        assert M.select("Archive", readonly=True)[1] == [b"2"]
        assert M.close()[0] == "OK"
        assert M.logout()[0] == "BYE"
        print("all well")
        """#

    private static let scram = #"""
        import base64, hashlib, hmac, imaplib, sys
        def client(password):
            state = {}
            first = b"n=anne,r=fyko+d2lbbFgONRv9qkxdawL"
            def answer(challenge):
                if "salted" not in state and not challenge:
                    return b"n,," + first
                if "salted" not in state:
                    parts = dict(p.split(b"=", 1) for p in challenge.split(b","))
                    salted = hashlib.pbkdf2_hmac("sha256", password, base64.b64decode(parts[b"s"]),
                        int(parts[b"i"]))
                    state["salted"] = salted
                    bare = b"c=biws,r=" + parts[b"r"]
                    message = first + b"," + challenge + b"," + bare
                    key = hmac.digest(salted, b"Client Key", "sha256")
                    sign = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
                    state["message"] = message
                    return bare + b",p=" + base64.b64encode(bytes(a ^ b for a, b in zip(key, sign)))
                server = hmac.digest(state["salted"], b"Server Key", "sha256")
                proof = hmac.digest(server, state["message"], "sha256")
                assert challenge == b"v=" + base64.b64encode(proof), challenge
                print("mutual")
                return b""
            return answer
        M = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
        assert M.authenticate("SCRAM-SHA-256", client(b"demo"))[0] == "OK"
        M.logout()
        M = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
        try:
            M.authenticate("SCRAM-SHA-256", client(b"wrong"))
        except imaplib.IMAP4.error:
            print("refused")
        """#
}
