import MIME
import Mail
import Testing

@Suite struct EncodedWordTests {
    @Test(
        "encoded-words decode as RFC 2047 §8 shows",
        arguments: [
            ("=?US-ASCII?Q?Keith_Moore?=", "Keith Moore"),
            ("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld Jørn Simonsen"),
            ("=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard"),
            (
                "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n"
                    + " =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
                "If you can read this you understand the example."
            ),
            ("(=?ISO-8859-1?Q?a?=)", "(a)"), ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
            ("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
            ("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
            ("(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
            ("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
            // Further: a split character, language, charsets, what is no word.
            ("=?UTF-8?B?ww==?= =?UTF-8?B?qQ==?=", "é"), ("=?utf-8*fr?q?=C3=A9?=", "é"),
            ("=?koi8-r?B?8NLJ18XU?=", "Привет"), ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
            ("=?windows-1252?Q?=80?=", "€"), ("=?x-none?Q?=E9?=", "é"),
            ("=?UTF-8?Q?=E9t=E9?=", "été"), ("=?=?UTF-8?X?a?=", "=?=?UTF-8?X?a?="),
            ("=?UTF-8?Q?open", "=?UTF-8?Q?open"), ("a=b", "a=b"), ("one\r\n two", "one two"),
            ("=?UTF-8?Q?a?= x =?UTF-8?Q?b?=", "a x b"), ("=?UTF-8?Q??=", ""), ("", ""),
        ]
    )
    func decoding(value: String, text: String) {
        #expect(EncodedWord.decode([UInt8](value.utf8)[...]) == text)
    }

    @Test(
        "text is encoded in words of at most 75 characters that decode alone",
        arguments: [
            "Avis de non-remise : votre message n’a pu être remis à « Trésorerie générale »",
            "日本語のとても長い件名でありながら、途中で切れてはいけないもの。絶対に。",
            "é", "a?b=c_d é", String(repeating: "😀", count: 50),
        ]
    )
    func encoding(text: String) {
        let encoded = EncodedWord.encode(text)
        #expect(EncodedWord.decode([UInt8](encoded.utf8)[...]) == text)
        var alone = ""
        for word in encoded.split(separator: " ") {
            #expect(word.utf8.count <= 75)
            #expect(word.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
            alone += EncodedWord.decode([UInt8](word.utf8)[...])
        }
        #expect(alone == text)
    }
}

@Suite struct HeaderWriterTests {
    @Test("lines are folded, words encoded, and what was written reads back")
    func reading() throws {
        var writer = HeaderWriter()
        let anne = try #require(EmailAddress(parsing: "anne@demo.example"))
        let odd = try #require(EmailAddress(parsing: #""o d"@demo.example"#))
        let subject = "Votre message n’a pas été remis au destinataire malgré plusieurs essais"
        writer.mailboxes("From", [("Système de messagerie", anne)])
        writer.mailboxes(
            "To",
            [("Durand, Benoît \"B\"", odd), ("Anne O. Martin", anne), ("", odd)]
        )
        writer.text("Subject", subject)
        writer.date("Date", MailDate(unixSeconds: 880_127_706, zoneMinutes: -360))
        writer.raw("Message-ID", "<a@b>")
        writer.text("X-Injected", "a\r\nBcc: evil@demo.example")
        writer.end()

        let text = String(decoding: writer.bytes, as: UTF8.self)
        #expect(text.hasSuffix("\r\n\r\n"))
        for line in text.split(separator: "\r\n") { #expect(line.utf8.count <= 78) }
        #expect(text.utf8.allSatisfy { $0 < 0x80 })

        let message = Message(writer.bytes)
        #expect(message.decodedField(named: "subject") == subject)
        #expect(message.decodedField(named: "bcc") == nil)
        #expect(message.decodedField(named: "date") == "Fri, 21 Nov 1997 09:55:06 -0600")
        let names = message.addresses(.to, of: message.root).compactMap { item in
            if case .mailbox(let mailbox) = item {
                EncodedWord.decode((mailbox.name ?? [])[...]) + "|"
                    + String(decoding: mailbox.localPart, as: UTF8.self)
            } else {
                nil
            }
        }
        #expect(names == ["Durand, Benoît \"B\"|o d", "Anne O. Martin|anne", "|o d"])
    }
}

@Suite struct HeaderFieldsTests {
    @Test("fields are found up to the empty line, what is no field is passed over")
    func fields() {
        let bytes = [UInt8](
            "A: 1\r\njunk\r\n more junk\r\nB : 2\r\n\t3\r\n\r\n C: 4\r\nD: 5\r\n".utf8
        )
        let found = HeaderFields(in: bytes).map { field in
            String(decoding: bytes[field.name], as: UTF8.self) + "="
                + String(decoding: bytes[field.value], as: UTF8.self)
        }
        #expect(found == ["A= 1", "B= 2\r\n\t3"])
    }
}

@Suite struct MailDateTests {
    @Test(
        "dates of RFC 5322 and of careless senders are read",
        arguments: [
            ("Fri, 21 Nov 1997 09:55:06 -0600", 880_127_706, -360),
            ("Tue, 1 Jul 2003 10:52:37 +0200", 1_057_049_557, 120),
            ("21 Nov 97 09:55:06 GMT", 880_106_106, 0),
            ("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880_127_706, -360),
            (
                "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n     -0330 (Newfoundland Time)",
                -27_723_480, -210
            ),
            ("Mon, 3 Mar 2025 10:00:00 +0100 (CET)", 1_740_992_400, 60),
            ("Mon Mar  3 10:00:00 2025", 1_740_996_000, 0),
            ("Mon, 03-Mar-2025 10:00:00 EST", 1_741_014_000, -300),
            ("2025-03-03T10:00:00Z", 1_740_996_000, 0),
            ("2025-03-03T10:00:00.123+01:00", 1_740_992_400, 60),
            ("Mon, 3 Mar 2025 10:00 PM +0000", 1_741_039_200, 0),
            ("29 Feb 2024 00:00:00 +0000", 1_709_164_800, 0),
            ("31 Dec 1999 23:59:60 +0000", 946_684_799, 0),
            ("29 Feb 2023 00:00:00 +0000", nil, 0), ("3 Mar 2025", nil, 0), ("", nil, 0),
            ("32 Mar 2025 10:00:00", nil, 0), ("3 Mar 2025 24:00:00", nil, 0),
            ("3 Mar 99999999999999999999 10:00:00", nil, 0), ("-:-:-: +++", nil, 0),
        ]
    )
    func parsing(value: String, seconds: Int64?, zone: Int) {
        let date = MailDate(parsing: [UInt8](value.utf8)[...])
        #expect(date?.unixSeconds == seconds)
        if let date { #expect(date.zoneMinutes == zone) }
    }

    @Test("what was written reads back", arguments: 0..<500)
    func roundTrip(seed: Int) {
        let seconds = Int64(seed) * 123_456_789 % 200_000_000_000 - 30_000_000_000
        let zone = (seed * 37 % 97 - 48) * 15
        let date = MailDate(unixSeconds: seconds, zoneMinutes: zone)
        #expect(MailDate(parsing: [UInt8](date.text.utf8)[...]) == date)
    }

    @Test("the written day is the sender's")
    func day() {
        let date = MailDate(parsing: [UInt8]("1 Jan 1970 00:30:00 +0100".utf8)[...])
        #expect(date?.writtenDay == 0)
        #expect(date?.unixSeconds == -1_800)
    }
}

@Suite struct BaseSubjectTests {
    @Test(
        "replies and forwards are taken off as RFC 5256 §2.1 says",
        arguments: [
            ("Re: hello", "hello", true), ("hello", "hello", false),
            ("RE:re: FW: hello", "hello", true),
            ("Re[3]: hello", "hello", true), ("[list] hello", "hello", false),
            ("[list] Re: [a] hello (fwd) (FWD)", "hello", true), ("[only]", "[only]", false),
            ("[Fwd: Re: hello]", "hello", true), ("  two   blanks ", "two blanks", false),
            ("Re : hello", "hello", true), ("Regarding: x", "Regarding: x", false),
            ("=?UTF-8?Q?Re:_=C3=A9t=C3=A9?=", "été", true), ("Re:", "", true), ("", "", false),
            ("[a][b][c]", "[c]", false), ("fwd", "fwd", false),
        ]
    )
    func extraction(subject: String, base: String, isReply: Bool) {
        let result = BaseSubject(of: [UInt8](subject.utf8)[...])
        #expect(result.text == base)
        #expect(result.isReplyOrForward == isReply)
    }
}
