import MIME
import Testing

/// Input made to cost time or memory: each must be done with in time that grows with its size.
@Suite(.serialized) struct HostileTests {
    private static let size = 200_000

    private static func many(_ text: String, prefix: String = "", suffix: String = "") -> [UInt8] {
        let unit = [UInt8](text.utf8)
        var bytes = [UInt8](prefix.utf8)
        bytes.reserveCapacity(size + 1_000)
        while bytes.count < size { bytes += unit }
        return bytes + [UInt8](suffix.utf8)
    }

    private static let open = (0..<60).map {
        "Content-Type: multipart/mixed; boundary=\"\(String(repeating: "b", count: 200))\($0)\"\r\n\r\n"
            + "--\(String(repeating: "b", count: 200))\($0)\r\n"
    }.joined()

    static let messages: [(String, [UInt8])] = [
        ("hyphens", many("--\r\n", prefix: open)),
        ("near boundaries", many("--\(String(repeating: "b", count: 200))\r\n", prefix: open)),
        ("blanks after hyphens", many("--\(String(repeating: " ", count: 90_000))", prefix: open)),
        ("addresses", many("a@b,", prefix: "To: ")),
        ("address fields", many("To: a@b, c\r\n")),
        ("angles", many("<", prefix: "From: ")), ("colons", many(":", prefix: "From: x")),
        ("groups", many("a:;", prefix: "Cc: ")), ("at signs", many("@", prefix: "From: a")),
        ("comments", many("(", prefix: "To: ")), ("escapes", many("\\", prefix: "To: (")),
        ("quotes", many("\"", prefix: "From: ")),
        ("parameters", many("; a=b", prefix: "Content-Type: a/b")),
        ("continuations", many("; a*0=b", prefix: "Content-Type: a/b")),
        ("semicolons", many(";", prefix: "Content-Disposition: attachment")),
        ("encoded-words", many("=?", prefix: "Subject: ")),
        ("words", many("=?utf-8?q?a?= ", prefix: "Subject: ")),
        ("charsets", many("=?koi8-r?q?=C1?= =?big5?q?=C1?= ", prefix: "Subject: ")),
        ("blobs", many("[a]", prefix: "Subject: ")),
        ("references", many("<a", prefix: "References: ")),
        ("identifiers", many("<a@b> ", prefix: "References: ")),
        ("languages", many("a,", prefix: "Content-Language: ")),
        ("fields", many("a:\r\n")), ("known fields", many("to:\r\n")),
        ("folds", many(" \r\n", prefix: "To: x\r\n")),
        ("tags", many("<", prefix: "Content-Type: text/html\r\n\r\n")),
        ("scripts", many("<script>", prefix: "Content-Type: text/html\r\n\r\n")),
        ("comments in HTML", many("<!--", prefix: "Content-Type: text/html\r\n\r\n")),
        ("entities", many("&#", prefix: "Content-Type: text/html\r\n\r\n")),
        (
            "soft breaks",
            many("=\r\n", prefix: "Content-Transfer-Encoding: quoted-printable\r\n\r\n")
        ),
        (
            "trailing blanks",
            many(" ", prefix: "Content-Transfer-Encoding: quoted-printable\r\n\r\n")
        ),
        ("padding", many("=", prefix: "Content-Transfer-Encoding: base64\r\n\r\n")),
        ("UTF-7", many("+AAA-", prefix: "Content-Type: text/plain; charset=utf-7\r\n\r\n")),
        (
            "bad bytes",
            many("+\u{80}", prefix: "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n")
        ),
        (
            "messages",
            many(
                "Content-Type: message/rfc822\r\nFrom: \(String(repeating: "a,", count: 999))\r\n\r\n"
            )
        ),
    ]

    @Test("what is made to be slow is not", arguments: messages.indices)
    func slow(index: Int) throws {
        let (name, bytes) = Self.messages[index]
        let start = ContinuousClock.now
        let summary = DeliverySummary(of: bytes)
        let message = Message(bytes)
        _ = message.contains(SearchPattern("aaaaaaaaab"), in: .text)
        _ = message.section([], .headerFields(["to", "from"]))
        let time = ContinuousClock.now - start
        #expect(time < .seconds(20), "\(name) took \(time)")
        let kept = summary.envelope.count + summary.bodyStructure.count
        #expect(kept < 4_000_000, "\(name) keeps \(kept)")
    }
}
