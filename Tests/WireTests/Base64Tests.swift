import Testing
import Wire

@Suite struct Base64Tests {
    // RFC 4648 §10
    static let vectors: [(String, String)] = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ]

    @Test("the published vectors encode and decode", arguments: vectors)
    func published(plain: String, encoded: String) {
        let bytes = [UInt8](plain.utf8)
        #expect(Base64.string(bytes) == encoded)
        #expect(Base64.decode([UInt8](encoded.utf8)) == bytes)
        #expect(Base64.decodeLeniently([UInt8](encoded.utf8)[...]) == bytes)
    }

    @Test("what was encoded decodes to itself", arguments: 0..<200)
    func roundTrip(count: Int) {
        var random = SplitMix(seed: UInt64(count))
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        #expect(Base64.decodeLeniently(Base64.encodeLines(bytes[...])[...]) == bytes)
        for limit in [0, 1, count / 2, count] {
            let part = Base64.decodeLeniently(Base64.encodeLines(bytes[...])[...], limit: limit)
            #expect(part == Array(bytes.prefix(limit)))
        }
    }

    @Test(
        "strict decoding refuses what is not canonical",
        arguments: [
            "Zg=", "Zg", "Zg===", "Z===", "====", "=", "Zh==", "Zm9=", "Zm 9v", "Zm9v\r\n",
            "Zm9v=", "Zg==Zg==", "Zm-_", "Zm9v!AAA",
        ]
    )
    func refused(text: String) {
        #expect(Base64.decode([UInt8](text.utf8)) == nil)
    }

    @Test(
        "lenient decoding skips what is no digit",
        arguments: [
            ("Zm9v\r\nYmFy\r\n", "foobar"), ("Z m!9*v", "foo"), ("Zg==Zg==", "ff"),
            ("Zm9", "fo"), ("Zm8", "fo"), ("Z", ""), ("====", ""), ("Zm9vYg", "foob"),
        ]
    )
    func lenient(text: String, plain: String) {
        #expect(Base64.decodeLeniently([UInt8](text.utf8)[...]) == [UInt8](plain.utf8))
    }
}

/// A small generator with a seed, so that a failure can be played again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
