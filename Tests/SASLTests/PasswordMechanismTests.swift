import SASL
import Testing
import Wire

@Suite("PLAIN and LOGIN")
struct PasswordMechanismTests {
    private let secrets = ExchangeSecrets(nonce: [0x61], decoySecret: [1])
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    // RFC 4616 §4
    @Test func plainCarriesAllThreeFields() {
        var exchange = ServerExchange(.plain, secrets: secrets)
        #expect(exchange.start(initialResponse: nil) == .challenge([]))
        #expect(
            exchange.receive(bytes("Ursel\0Kurt\0xipj3plmq"))
                == .checkPassword(authzid: "Ursel", authcid: "Kurt", password: "xipj3plmq")
        )
        #expect(
            exchange.passwordChecked(.accepted) == .success(authzid: "Ursel", authcid: "Kurt")
        )
    }

    @Test(arguments: ["tim", "\0tim", "\0tim\0", "\0\0secret", "a\0b\0c\0d", ""])
    func plainRefusesAMalformedMessage(_ message: String) {
        var exchange = ServerExchange(.plain, secrets: secrets)
        #expect(exchange.start(initialResponse: bytes(message)) == .failure(.malformed))
    }

    @Test func plainRefusesIllFormedUTF8() {
        var exchange = ServerExchange(.plain, secrets: secrets)
        #expect(exchange.receive([0, 0xC3, 0, 0x61]) == .failure(.malformed))
    }

    @Test func loginAsksTwice() {
        var exchange = ServerExchange(.login, secrets: secrets)
        #expect(exchange.start(initialResponse: nil) == .challenge(bytes("Username:")))
        #expect(exchange.receive(bytes("anne")) == .challenge(bytes("Password:")))
        #expect(
            exchange.receive(bytes("demo"))
                == .checkPassword(authzid: nil, authcid: "anne", password: "demo")
        )
        #expect(exchange.passwordChecked(.rejected) == .failure(.rejected))
    }

    @Test func loginTakesTheNameWithTheCommand() {
        var exchange = ServerExchange(.login, secrets: secrets)
        #expect(exchange.start(initialResponse: bytes("anne")) == .challenge(bytes("Password:")))
    }

    @Test func longMessagesFail() {
        var exchange = ServerExchange(.login, secrets: secrets)
        let long = [UInt8](repeating: 0x61, count: ServerExchange.maximumMessageLength + 1)
        #expect(exchange.receive(long) == .failure(.malformed))
    }

    @Test func mechanismNamesCompareWithoutCase() {
        #expect(Mechanism(name: bytes("scram-sha-256")) == .scramSHA256)
        #expect(Mechanism(name: bytes("CRAM-MD5")) == nil)
    }

    @Test func base64RefusesWhatIsNotCanonical() {
        #expect(Base64.decode(bytes("Zg==")) == bytes("f"))
        #expect(Base64.decode(bytes("Zm9vYmFy")) == bytes("foobar"))
        for bad in ["Zh==", "Zg=", "Zg", "Z===", "Zg==Zg==", "Zm 9v", "====", "Zg=g"] {
            #expect(Base64.decode(bytes(bad)) == nil, "\(bad)")
        }
    }
}
