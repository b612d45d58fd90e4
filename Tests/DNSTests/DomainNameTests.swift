@testable import DNS
import Net
import Testing

@Suite("Domain names")
struct DomainNameTests {
    /// Samples of RFC 3492 §7.1 and names that are registered.
    @Test(arguments: [
        ("bücher.example", "xn--bcher-kva.example"),
        ("MÜNCHEN.example", "xn--mnchen-3ya.example"),
        ("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"),
        ("почемужеонинеговорятпорусски", "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l"),
        ("préfecture.gouv.fr.", "xn--prfecture-c4a.gouv.fr"),
        ("Example.ORG", "example.org"),
    ])
    func areAskedInASCII(unicode: String, ascii: String) {
        #expect(DomainName.ascii(unicode) == ascii)
    }

    @Test(arguments: ["", ".", "a..b", "a b.example", String(repeating: "a", count: 64) + ".fr"])
    func thatCannotExistAreNotAsked(_ name: String) {
        #expect(DomainName.ascii(name) == nil)
    }

    @Test(arguments: [
        ("192.0.2.7", "7.2.0.192.in-addr.arpa"),
        (
            "2001:db8::567:89ab",
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        ),
    ])
    func ofAddressesAreReversed(address: String, name: String) {
        #expect(IPAddress(address)?.reverseName == name)
    }

    /// A name in RDATA that runs past its end, has a label too long or no end is no name.
    @Test(arguments: [
        [UInt8](), [3, 0x61], [0xC0, 0x0C], [64] + [UInt8](repeating: 0x61, count: 64) + [0],
        [1, 0x61], [1, 0x2E, 0], [0, 0],
    ])
    func thatAreBrokenAreRefused(_ data: [UInt8]) {
        #expect(RecordData.name(data[...]) == nil)
    }
}
