import Foundation
import Mail
import Testing

@Suite struct EmailAddressTests {
    @Test(
        "a mailbox of RFC 5321 parses into its parts and back",
        arguments: [
            ("Anne.Martin@Demo.Example", "Anne.Martin", "Anne.Martin@demo.example"),
            (#""john doe"@example.org"#, "john doe", #""john doe"@example.org"#),
            (#""needless"@example.org"#, "needless", "needless@example.org"),
            (#""a\"b\\c"@example.org"#, #"a"b\c"#, #""a\"b\\c"@example.org"#),
            (#""a@b"@example.org"#, "a@b", #""a@b"@example.org"#),
            ("x@[192.0.2.1]", "x", "x@[192.0.2.1]"),
            ("x@[IPv6:2001:db8::1]", "x", "x@[ipv6:2001:db8::1]"),
            ("été@trésor.example", "été", "été@trésor.example"),
        ]
    )
    func parses(text: String, localPart: String, wire: String) throws {
        let address = try #require(EmailAddress(parsing: text))
        #expect(address.localPart == localPart)
        #expect(address.description == wire)
        #expect(EmailAddress(parsing: wire) == address)
    }

    @Test(
        "bytes that would break a command or a header are refused",
        arguments: [
            "a@b\r\nRCPT", "a\u{0}@b", "\"a\r\n\"@b", "a@b c", "<a@b>", "a@b>", "a@", "@b",
            "a@[192.0.2.256]", "a@[IPv6:g::1]", "a@[]", "a@[x:y]", "a\u{85}@b", "a@b\u{85}",
            "\"\u{85}\"@b", "",
        ]
    )
    func refused(text: String) {
        #expect(EmailAddress(parsing: text) == nil)
    }

    @Test("bytes that are not UTF-8 are refused")
    func notUTF8() {
        #expect(EmailAddress(parsing: [0x61, 0xE9, 0x40, 0x62]) == nil)
        #expect(EmailAddress(parsing: [0x61, 0x40, 0x62, 0xE9]) == nil)
    }

    @Test("parts that could not be written are refused")
    func parts() {
        #expect(EmailAddress(localPart: "a\r\n", domain: "b.example") == nil)
        #expect(EmailAddress(localPart: "a", domain: "b.example\r\n") == nil)
        #expect(EmailAddress(localPart: "", domain: "b.example") == nil)
        #expect(
            EmailAddress(localPart: "a b", domain: "B.example")?.description == #""a b"@b.example"#
        )
    }

    /// What the corpus calls valid in SMTP but we refuse: an empty local part (43).
    private static let refusedThoughValid: Set<String> = ["43"]

    @Test("the isemail corpus is judged as its authors judged it")
    func corpus() throws {
        let cases = try Self.cases()
        guard !cases.isEmpty else {
            print("skipped: no ../shared/data/address beside the package")
            return
        }
        #expect(cases.count == 164)
        for test in cases {
            let valid =
                ["ISEMAIL_VALID_CATEGORY", "ISEMAIL_DNSWARN", "ISEMAIL_RFC5321"]
                .contains(test.category) && !Self.refusedThoughValid.contains(test.id)
            let address = EmailAddress(parsing: test.address)
            #expect((address != nil) == valid, "case \(test.id): \(test.address)")
            if let address {
                #expect(EmailAddress(parsing: address.description) == address)
            }
        }
    }

    private struct Case {
        var id = ""
        var address = ""
        var category = ""
    }

    private static func cases() throws -> [Case] {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appending(path: "../shared/data/address/isemail-tests.xml")
        guard FileManager.default.fileExists(atPath: file.path) else { return [] }
        let text = try String(contentsOf: file, encoding: .utf8)
        return text.components(separatedBy: "<test id=\"").dropFirst().map { block in
            Case(
                id: String(block.prefix { $0 != "\"" }),
                address: unescaped(element("address", in: block)),
                category: element("category", in: block)
            )
        }
    }

    private static func element(_ name: String, in block: String) -> String {
        guard let start = block.range(of: "<\(name)>"), let end = block.range(of: "</\(name)>")
        else { return "" }
        return String(block[start.upperBound..<end.lowerBound])
    }

    // The corpus writes control characters as their pictures, U+2400 and up.
    private static func unescaped(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let character = rest.first {
            rest = rest.dropFirst()
            guard character == "&", let end = rest.firstIndex(of: ";") else {
                result.append(character)
                continue
            }
            let name = rest[..<end]
            rest = rest[rest.index(after: end)...]
            let named = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]
            if let plain = named[String(name)] {
                result += plain
            } else if name.hasPrefix("#x"), let code = UInt32(name.dropFirst(2), radix: 16),
                let scalar = Unicode.Scalar(code)
            {
                result.unicodeScalars.append(scalar)
            } else if name.hasPrefix("#"), let code = UInt32(name.dropFirst(1)),
                let scalar = Unicode.Scalar(code)
            {
                result.unicodeScalars.append(scalar)
            }
        }
        var controls = String.UnicodeScalarView()
        for scalar in result.unicodeScalars {
            let isPicture = (0x2400...0x241F).contains(scalar.value)
            controls.append(isPicture ? Unicode.Scalar(UInt8(scalar.value - 0x2400)) : scalar)
        }
        return String(controls)
    }
}
