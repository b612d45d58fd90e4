import MIME
import Testing

@Suite struct SearchTests {
    @Test(
        "letters match without case in the scripts of Europe",
        arguments: [
            ("HELLO", "say hello there"), ("été", "L'ÉTÉ"), ("ŒUVRE", "œuvre"),
            ("straße", "STRAßE"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("привет", "ПРИВЕТ"), ("ЁЖ", "ёж"), ("Łódź", "łÓDŹ"),
            ("İ", "i"), ("\u{212A}", "k"), ("ա", "Ա"), ("Ａ", "ａ"), ("Ǆ", "ǆ"), ("", ""),
            ("Ế", "ế"), ("ab", "aab"), ("aab", "aaab"),
        ]
    )
    func folding(pattern: String, text: String) {
        #expect(SearchPattern(pattern).matches([UInt8](text.utf8)[...]))
        #expect(SearchPattern(text).matches([UInt8](pattern.utf8)[...]) || pattern != text)
    }

    @Test("what is not there is not found")
    func absent() {
        #expect(!SearchPattern("ete").matches([UInt8]("été".utf8)[...]))
        #expect(!SearchPattern("abc").matches([UInt8]("ab".utf8)[...]))
        #expect(!SearchPattern("ac").matches([UInt8]("abc".utf8)[...]))
    }

    @Test("folding agrees with the library's table wherever a letter has one lower case")
    func table() {
        for value in UInt32(0)...0x1_FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let lower = scalar.properties.lowercaseMapping.unicodeScalars
            guard lower.count == 1, let expected = lower.first, expected != scalar else { continue }
            let folded = SearchText.fold(String(scalar))
            #expect(folded == String(expected), "U+\(String(value, radix: 16))")
        }
    }

    static let message = Message(
        [UInt8](
            """
            From: =?UTF-8?Q?Beno=C3=AEt?= <b@demo.example>\r
            Subject: =?ISO-8859-1?Q?R=E9union?=\r
             du lundi\r
            Content-Type: multipart/mixed; boundary=x\r
            \r
            --x\r
            Content-Type: text/plain; charset=iso-8859-15\r
            Content-Transfer-Encoding: quoted-printable\r
            \r
            co=FBte 5 =A4 le for=\r
            fait\r
            --x\r
            Content-Type: text/html; charset=utf-8\r
            Content-Transfer-Encoding: base64\r
            \r
            PHA+TGUgPGI+dG90YTwvYj5sICZlYWN1dGU7dGFpdDwvcD4=\r
            --x\r
            Content-Type: application/octet-stream\r
            \r
            secret\r
            --x--\r

            """.utf8
        )
    )

    @Test("text is searched as its reader sees it")
    func decoded() {
        func body(_ text: String) -> Bool { Self.message.contains(SearchPattern(text), in: .body) }
        #expect(body("COÛTE 5 €"))
        #expect(body("le forfait"))
        #expect(body("était"))
        #expect(body("<b>tota"))
        #expect(!body("secret"))
        #expect(!body("réunion"))
        #expect(Self.message.contains(SearchPattern("réunion du"), in: .text))
        #expect(Self.message.headerContains(SearchPattern("BENOÎT"), named: "from"))
        #expect(Self.message.headerContains(SearchPattern(""), named: "Subject"))
        #expect(!Self.message.headerContains(SearchPattern(""), named: "Cc"))
    }

    @Test("a preview has at most 200 characters of the first text")
    func preview() {
        let text = String(repeating: "é ", count: 500)
        let message = Message(
            [UInt8]("Content-Type: text/plain; charset=utf-8\r\n\r\n\(text)".utf8)
        )
        #expect(message.preview().count == 199)
        #expect(Self.message.preview() == "coûte 5 € le forfait")
    }

    @Test("references are bounded, the first and the last kept")
    func references() {
        let ids = (0..<500).map { "<\($0)@x>" }.joined(separator: "\r\n ")
        let summary = DeliverySummary(
            of: [UInt8]("References: \(ids)\r\nIn-Reply-To: <new@x>\r\n\r\n".utf8)
        )
        #expect(summary.references.count == DeliverySummary.maximumReferences)
        #expect(summary.references.first == "0@x")
        #expect(summary.references.suffix(2) == ["499@x", "new@x"])
    }
}
