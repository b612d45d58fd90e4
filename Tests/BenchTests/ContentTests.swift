import Testing

@testable import Bench

@Suite("What a load sends")
struct ContentTests {
    @Test("A mix is exact in every turn, and another order in each")
    func mixIsExact() throws {
        let mix = try #require(SizeMix(parsing: "mix"))
        var orders: Set<[Int]> = []
        for turn in 0..<20 {
            let sizes = (0..<20).map { mix.size(of: turn * 20 + $0, seed: 7) }
            #expect(sizes.count { $0 == 4096 } == 14)
            #expect(sizes.count { $0 == 30 * 1024 } == 5)
            #expect(sizes.count { $0 == 500 * 1024 } == 1)
            orders.insert(sizes)
        }
        #expect(orders.count > 15)
    }

    @Test(
        "Sizes that make no sense are refused",
        arguments: ["", "k", "0", "4k:", "4k:0", "-4", "4k:1:2", "9999m", "4k:1,30k:1000003"]
    )
    func refusedSizes(text: String) {
        #expect(SizeMix(parsing: text) == nil)
    }

    @Test("Names are filled as printf fills them")
    func names() {
        #expect(NamePattern(parsing: "u%04d@bench.test")?.name(7) == "u0007@bench.test")
        #expect(NamePattern(parsing: "u%04d")?.name(12_345) == "u12345")
        #expect(NamePattern(parsing: "u%d")?.name(7) == "u7")
        #expect(NamePattern(parsing: "anne")?.name(7) == "anne")
        #expect(NamePattern(parsing: "%s") == nil)
        #expect(NamePattern(parsing: "%d%d") == nil)
    }

    @Test("The same seed gives the same messages, another one others")
    func seeds() throws {
        let mix = try #require(SizeMix(parsing: "2k:1,20k:1,100k:1"))
        func texts(_ seed: UInt64) -> [String] {
            let source = MessageSource(mix: mix, seed: seed, firstDate: 1_700_000_000)
            return (0..<30).map { source.message($0, from: "a@b.test", to: "c@d.test").text }
        }
        let first = texts(1)
        #expect(first == texts(1))
        #expect(Set(first + texts(2)).count == 60)
    }

    @Test(
        "Lines end in CR LF, are short, and never begin with a dot",
        arguments: [2048, 20 << 10, 100 << 10]
    )
    func lines(size: Int) {
        let source = MessageSource(mix: SizeMix(bytes: size), seed: 3, firstDate: 1_700_000_000)
        for index in 0..<20 {
            let message = source.message(index, from: "a@b.test", to: "c@d.test")
            let bytes = Array(message.text.utf8)
            #expect(bytes.count == message.size)
            #expect(abs(bytes.count - size) < 120)
            #expect(bytes.suffix(2) == [13, 10])
            for line in bytes.dropLast().split(separator: 10, omittingEmptySubsequences: false) {
                #expect(line.last == 13 && line.count <= 200)
                #expect(!line.dropLast().contains(13) && line.first != 0x2E)
            }
        }
    }

    @Test(
        "Dates are those of the calendar",
        arguments: [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_700_000_000, "Tue, 14 Nov 2023 22:13:20 +0000"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 +0000"),
        ]
    )
    func dates(seconds: Int, text: String) {
        #expect(MessageDate.text(seconds) == text)
    }

    @Test(
        "Base64 is that of its own RFC",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy"),
        ]
    )
    func base64(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
    }
}
