import Mail
import Testing
import Wire

@testable import SMTP

@Suite("Commands")
struct CommandTests {
    private func mail(_ text: String) throws -> MailCommand {
        try MailCommand(Array(text.utf8)[...], isExtended: true)
    }

    private func rcpt(_ text: String, utf8: Bool = false) throws -> RcptCommand {
        try RcptCommand(Array(text.utf8)[...], isExtended: true, usesSMTPUTF8: utf8)
    }

    @Test func mailTakesEveryParameter() throws {
        let command = try mail(
            "FROM:<Anne.L@Example.ORG> SIZE=1024 BODY=8BITMIME SMTPUTF8 RET=HDRS "
                + "ENVID=QQ+2B314 AUTH=e+3Dmc2@example.com"
        )
        #expect(
            command.reversePath
                == .address(try #require(EmailAddress(parsing: "anne.l@example.org")))
        )
        #expect(command.size == 1024)
        #expect(command.body == .eightBitMIME)
        #expect(command.usesSMTPUTF8)
        #expect(command.returnContent == .headers)
        #expect(command.envelopeID == "QQ+314")
        #expect(command.submitter == "e=mc2@example.com")
    }

    @Test func mailTakesTheNullReversePath() throws {
        #expect(try mail("FROM:<>").reversePath == .null)
    }

    // RFC 5321 Appendix C
    @Test func sourceRouteIsForgotten() throws {
        let expected = try #require(EmailAddress(parsing: "anna@example.org"))
        #expect(
            try rcpt("TO:<@a.example,@[127.0.0.1]:anna@example.org>").forwardPath
                == .address(expected)
        )
    }

    @Test func quotedLocalPartMayHoldABracket() throws {
        let command = try rcpt("TO:<\"a> \\\"b\"@example.org> NOTIFY=NEVER")
        guard case .address(let address) = command.forwardPath else {
            Issue.record("not an address")
            return
        }
        #expect(address.localPart == "a> \"b")
        #expect(command.notify == DSNNotify())
    }

    @Test func rcptTakesDSNParameters() throws {
        let command = try rcpt(
            "TO:<a@example.org> NOTIFY=success,DELAY ORCPT=rfc822;Bob+20B@example.com"
        )
        #expect(command.notify == [.success, .delay])
        #expect(command.originalRecipient == "rfc822;Bob B@example.com")
    }

    @Test(arguments: ["TO:<Postmaster>", "to:<postmaster>", "TO: <POSTMASTER>"])
    func postmasterNeedsNoDomain(_ text: String) throws {
        #expect(try rcpt(text).forwardPath == .postmaster)
    }

    @Test(arguments: [
        ("FROM:a@b.example", Reply.pathSyntax), ("FROM:<a@b.example", .pathSyntax),
        ("FROM:<a b@c.example>", .pathSyntax), ("TO:<a@b.example>", .pathSyntax),
        ("FROM:<a@b.example>SIZE=1", .parameterSyntax),
        ("FROM:<a@b.example> SIZE", .parameterSyntax),
        ("FROM:<a@b.example> SIZE=1 size=2", .parameterSyntax),
        ("FROM:<a@b.example> BODY=9BIT", .parameterSyntax),
        ("FROM:<a@b.example> FOO=1", .parameterUnknown),
        ("FROM:<a@b.example> ENVID=a+3d", .parameterSyntax),
        ("FROM:<é@b.example>", .needsSMTPUTF8), ("FROM:<a@é.example>", .needsSMTPUTF8),
        ("FROM:<postmaster>", .pathSyntax),
    ])
    func mailRefuses(_ text: String, _ reply: Reply) {
        #expect(throws: Refusal.self) { try mail(text) }
        do {
            _ = try mail(text)
        } catch {
            #expect((error as? Refusal)?.reply == reply, "\(text)")
        }
    }

    @Test func sizeBeyondAnyNumberIsJustTooBig() throws {
        #expect(try mail("FROM:<> SIZE=99999999999999999999").size == Int.max)
    }

    @Test(arguments: ["", "x", "-1", "1 LAST x", "99999999999999999999", "1LAST"])
    func bdatRefuses(_ text: String) {
        #expect(BdatCommand(Array(text.utf8)[...]) == nil)
    }

    @Test func xtextRoundTrips() {
        let all = (0...255).map { UInt8($0) }
        #expect(XText.decode(XText.encode(all)[...]) == all)
    }

    @Test func repliesCarryTheClassOfTheirCode() {
        var bytes: [UInt8] = []
        Reply(.mailboxUnavailable, .badMailbox, lines: ["No\r\n250 such", "é"]).encode(into: &bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self) == "550-5.1.1 No??250 such\r\n550 5.1.1 ??\r\n"
        )
    }
}
