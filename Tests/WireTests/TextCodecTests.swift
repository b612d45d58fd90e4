import Testing
import Wire

@Suite struct QuotedPrintableTests {
    @Test(
        "escapes, soft breaks and trailing blanks decode as mail wants",
        arguments: [
            ("a=3Db", "a=b"), ("caf=C3=A9", "café"), ("caf=c3=a9", "café"),
            ("one =\r\nline", "one line"), ("one=  \r\nline", "oneline"),
            ("blank  \t\r\nnext", "blank\r\nnext"), ("bare =\nfeed\n", "bare feed\n"),
            ("bad =ZZ and =4", "bad =ZZ and =4"), ("end=", "end"), ("=", ""), ("", ""),
            // RFC 2045 §6.7: the example of the soft line break.
            (
                "Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.",
                "Now's the time for all folk to come to the aid of their country."
            ),
        ]
    )
    func decoding(text: String, plain: String) {
        let decoded = QuotedPrintable.decode([UInt8](text.utf8)[...])
        #expect(String(decoding: decoded, as: UTF8.self) == plain)
    }

    @Test("what was encoded decodes to itself in lines of at most 76", arguments: 0..<300)
    func roundTrip(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let alphabet: [UInt8] = [0x20, 0x09, 0x3D, 0x61, 0x62, 0x0D, 0x0A, 0xE9, 0x00, 0x2E]
        let bytes = (0..<seed).map { _ in alphabet.randomElement(using: &random) ?? 0 }
        let encoded = QuotedPrintable.encode(bytes[...])
        #expect(QuotedPrintable.decode(encoded[...]) == bytes)
        for line in encoded.split(separator: 0x0A, omittingEmptySubsequences: false) {
            #expect(line.filter { $0 != 0x0D }.count <= 76)
        }
        let part = QuotedPrintable.decode(encoded[...], limit: seed / 3)
        #expect(part == Array(bytes.prefix(seed / 3)))
    }
}

@Suite struct ModifiedUTF7Tests {
    @Test(
        "the published names encode and decode",
        arguments: [
            // RFC 3501 §5.1.3
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("☺!", "&Jjo-!"), ("Entwürfe", "Entw&APw-rfe"), ("R&D", "R&-D"),
            ("Éléments envoyés", "&AMk-l&AOk-ments envoy&AOk-s"), ("😀", "&2D3eAA-"), ("", ""),
        ]
    )
    func names(name: String, encoded: String) {
        #expect(String(decoding: ModifiedUTF7.encode(name), as: UTF8.self) == encoded)
        #expect(ModifiedUTF7.decode([UInt8](encoded.utf8)[...]) == name)
    }

    @Test(
        "a second spelling of a name is refused",
        arguments: [
            "&Jjo!", "&U,BTFw-&ZeVnLIqe-", "&AGE-", "&", "a&b", "&AOl-", "&AOk", "&AO-", "&A-",
            "&2D0-", "&3gA-", "caf\u{E9}", "tab\t", "&AOk=-", "&U/BTFw-",
        ]
    )
    func refused(text: String) {
        #expect(ModifiedUTF7.decode([UInt8](text.utf8)[...]) == nil)
    }

    @Test("what was encoded decodes to itself, and nothing else encodes to it", arguments: 0..<200)
    func roundTrip(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let alphabet = "ab&-,/é日😀\u{7F}\u{1}".unicodeScalars.map { $0 }
        var name = ""
        for _ in 0..<seed % 40 {
            if let scalar = alphabet.randomElement(using: &random) {
                name.unicodeScalars.append(scalar)
            }
        }
        let encoded = ModifiedUTF7.encode(name)
        #expect(ModifiedUTF7.decode(encoded[...]).map { Array($0.utf8) } == Array(name.utf8))

        let noise = "&-,Aa0kOU".utf8.map { $0 }
        let text = (0..<seed % 12).map { _ in noise.randomElement(using: &random) ?? 0x26 }
        if let decoded = ModifiedUTF7.decode(text[...]) {
            #expect(ModifiedUTF7.encode(decoded) == text)
        }
    }
}

@Suite struct HexTests {
    @Test("the published vectors decode in both cases")
    func vectors() {
        // RFC 4648 §10
        #expect(Hex.encode("foobar".utf8) == "666f6f626172")
        #expect(Hex.decode("666F6F626172") == [UInt8]("foobar".utf8))
        #expect(Hex.decode("666f6") == nil)
        #expect(Hex.decode("6g") == nil)
        #expect(Hex.decode("") == [])
    }

    @Test("every byte comes back")
    func everyByte() {
        #expect(Hex.decode(Hex.encode(UInt8.min...UInt8.max)) == Array(UInt8.min...UInt8.max))
    }
}
