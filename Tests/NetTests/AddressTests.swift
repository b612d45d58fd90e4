import Net
import Testing

@Suite("Addresses")
struct AddressTests {
    @Test(arguments: ["192.0.2.1", "0.0.0.0", "2001:db8::1", "::1", "::"])
    func anAddressIsWrittenAsItIsRead(text: String) {
        #expect(IPAddress(text)?.description == text)
        #expect(IPAddress(text).flatMap { IPAddress(bytes: $0.bytes) } == IPAddress(text))
    }

    @Test(arguments: ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "::g", "[::1]", "1.2.3.4:25"])
    func otherTextIsNoAddress(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func aMappedAddressIsTheIPv4One() {
        #expect(IPAddress("::ffff:192.0.2.1") == IPAddress("192.0.2.1"))
    }

    @Test(arguments: [
        ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false),
        ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "::1", false),
        ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/65", "2001:db8:0:0:8000::", false),
        ("::1", "::1", true), ("::/0", "ff02::1", true),
    ])
    func aNetworkContainsItsAddresses(network: String, address: String, isInside: Bool) throws {
        let network = try #require(IPNetwork(network))
        let address = try #require(IPAddress(address))
        #expect(network.contains(address) == isInside)
    }

    @Test(arguments: ["192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/a", "/8", "192.0.2.0/8/8"])
    func otherTextIsNoNetwork(text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test(arguments: ["192.0.2.1:25", "[2001:db8::1]:465", "unix:/run/clamd.sock"])
    func anEndpointIsWrittenAsItIsRead(text: String) {
        #expect(Endpoint(text)?.description == text)
    }
}
