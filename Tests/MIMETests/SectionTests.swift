import MIME
import Testing

@Suite struct SectionTests {
    /// The example of RFC 9051 §6.4.5.1, cut short: parts 1, 2, 3 (a message with parts 1 and 2)
    /// and 4.2 (a message inside a multipart).
    static let message = Message(
        Golden.withCRLF(
            [UInt8](
                """
                From: top@demo.example
                Subject: top
                Content-Type: multipart/mixed; boundary=a

                --a
                Content-Type: text/plain

                one
                --a
                Content-Type: application/octet-stream
                Content-Transfer-Encoding: base64

                dHdv
                --a
                Content-Type: message/rfc822

                Subject: three
                X-Odd: 1
                Content-Type: multipart/mixed; boundary=b

                --b

                three one
                --b
                Content-Transfer-Encoding: x-odd

                three two
                --b--
                --a
                Content-Type: multipart/mixed; boundary=c

                --c
                Content-Type: image/gif
                Content-Transfer-Encoding: quoted-printable

                =47IF
                --c
                Content-Type: message/rfc822

                Subject: four two

                four two one
                --c--
                --a--

                """.utf8
            )
        )
    )

    private static func text(_ numbers: [UInt32], _ section: SectionText? = nil) -> String? {
        switch message.section(numbers, section) {
        case .range(let range): String(decoding: message.bytes[range], as: UTF8.self)
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case nil: nil
        }
    }

    @Test("numbers lead to the parts that RFC 9051 gives them")
    func numbers() {
        #expect(Self.text([1]) == "one")
        #expect(Self.text([2]) == "dHdv")
        #expect(Self.text([3, 1]) == "three one")
        #expect(Self.text([3, 2]) == "three two")
        #expect(Self.text([4, 1]) == "=47IF")
        #expect(Self.text([4, 2]) == "Subject: four two\r\n\r\nfour two one")
        #expect(Self.text([4, 2, 1]) == "four two one")
        #expect(Self.text([4, 2], .header) == "Subject: four two\r\n\r\n")
        #expect(Self.text([4, 2], .text) == "four two one")
        #expect(Self.text([4, 2], .mime) == "Content-Type: message/rfc822\r\n\r\n")
        #expect(Self.text([4, 2, 1], .mime) == "Subject: four two\r\n\r\n")
    }

    @Test(
        "numbers that lead nowhere give nothing",
        arguments: [
            [0], [5], [1, 1], [2, 1], [3, 3], [4, 3], [4, 2, 2], [4, 2, 1, 1], [.max],
        ]
    )
    func nowhere(numbers: [UInt32]) {
        #expect(Self.message.section(numbers) == nil)
        #expect(Self.message.binary(numbers) == nil)
    }

    @Test("HEADER and TEXT belong to messages, MIME to parts")
    func kinds() {
        #expect(Self.message.section([1], .header) == nil)
        #expect(Self.message.section([4], .text) == nil)
        #expect(Self.message.section([], .mime) == nil)
        #expect(Self.text([3], .header)?.hasPrefix("Subject: three\r\nX-Odd: 1\r\n") == true)
        #expect(Self.text([], .text)?.hasPrefix("--a\r\n") == true)
    }

    @Test("chosen fields keep their order and spelling and end in an empty line")
    func fields() {
        #expect(
            Self.text([], .headerFields(["SUBJECT", "from"]))
                == "From: top@demo.example\r\nSubject: top\r\n\r\n"
        )
        #expect(Self.text([], .headerFields(["Bcc"])) == "\r\n")
        #expect(
            Self.text([3], .headerFieldsNot(["content-type", "Subject"])) == "X-Odd: 1\r\n\r\n"
        )
    }

    @Test("BINARY undoes the transfer encodings that it knows")
    func binary() {
        #expect(Self.message.binary([2]) == .bytes([UInt8]("two".utf8)))
        #expect(Self.message.binary([4, 1]) == .bytes([UInt8]("GIF".utf8)))
        #expect(Self.message.binary([3, 2]) == .unknownEncoding)
        #expect(Self.message.binary([1])?.count == 3)
    }

    @Test("a message that is no multipart has its body as part 1")
    func single() {
        let message = Message([UInt8]("Subject: x\r\n\r\nbody".utf8))
        #expect(message.section([1]) == .range(14..<18))
        #expect(message.section([1], .mime) == .range(0..<14))
        #expect(message.section([1], .header) == nil)
        #expect(message.section([2]) == nil)
    }

    @Test("limits stop the parser and lose no byte")
    func limits() throws {
        let deep = (0..<300).map {
            "Content-Type: multipart/mixed; boundary=\($0)\r\n\r\n--\($0)\r\n"
        }
        .joined()
        try MessageChecks.run([UInt8](deep.utf8), "deep")
        let messages = String(repeating: "Content-Type: message/rfc822\r\n\r\n", count: 5_000)
        try MessageChecks.run([UInt8](messages.utf8), "messages")
        let wide =
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
            + String(repeating: "--b\r\n\r\n\r\n", count: 12_000)
        try MessageChecks.run([UInt8](wide.utf8), "wide")
        #expect(Message([UInt8](wide.utf8)).parts.count == MIMELimits().parts)
    }
}
