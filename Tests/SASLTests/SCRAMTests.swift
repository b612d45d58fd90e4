import Testing
import Wire

@testable import SASL

@Suite("SCRAM")
struct SCRAMTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private let secrets = ExchangeSecrets(
        nonce: Array("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".utf8),
        decoySecret: [1, 2, 3]
    )

    private func pencil() throws -> SCRAMCredential {
        let salt = try #require(Base64.decode(bytes("W22ZaJ0SNY7soEsUEjb6gQ==")))
        return try #require(.derive(password: "pencil", salt: salt, iterations: 4096))
    }

    // RFC 7677 §3
    @Test func followsThePublishedExchange() throws {
        var exchange = ServerExchange(.scramSHA256, secrets: secrets)
        #expect(
            exchange.start(initialResponse: bytes("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"))
                == .needsCredential(login: "user")
        )
        #expect(
            exchange.provide(try pencil())
                == .challenge(
                    bytes(
                        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                            + "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
                    )
                )
        )
        #expect(
            exchange.receive(
                bytes(
                    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                        + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
                )
            ) == .challenge(bytes("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="))
        )
        #expect(exchange.receive([]) == .success(authzid: nil, authcid: "user"))
        #expect(exchange.receive([]) == .failure(.outOfOrder))
    }

    // RFC 5802 §5
    @Test func derivesThePublishedSHA1Keys() throws {
        let salt = try #require(Base64.decode(bytes("QSXCR+Q6sek8bf92")))
        let credential = try #require(
            SCRAMCredential.derive(password: "pencil", salt: salt, iterations: 4096, hash: .sha1)
        )
        let nonce = "fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j"
        let message = bytes(
            "n=user,r=fyko+d2lbbFgONRv9qkxdawL,r=\(nonce),s=QSXCR+Q6sek8bf92,i=4096,"
                + "c=biws,r=\(nonce)"
        )
        let proof = try #require(Base64.decode(bytes("v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")))
        let signature = SCRAMHash.sha1.hmac(credential.storedKey, message)
        let clientKey = zip(proof, signature).map { $0 ^ $1 }
        #expect(SCRAMHash.sha1.digest(clientKey) == credential.storedKey)
        let server = SCRAMHash.sha1.hmac(credential.serverKey, message)
        #expect(Base64.encode(server) == bytes("rmF9pqV8S7suAoZWja4dJRkFsKQ="))
    }

    @Test func refusesAWrongProof() throws {
        var exchange = ServerExchange(.scramSHA256, secrets: secrets)
        _ = exchange.start(initialResponse: bytes("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"))
        _ = exchange.provide(try pencil())
        let step = exchange.receive(
            bytes(
                "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                    + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVA="
            )
        )
        #expect(step == .failure(.rejected))
    }

    /// A login that does not exist gets a salt that stays the same, and fails like a wrong proof.
    @Test func unknownLoginLooksLikeAKnownOne() throws {
        func firstChallenge(_ login: String) -> Step {
            var exchange = ServerExchange(.scramSHA256, secrets: secrets)
            _ = exchange.start(initialResponse: bytes("n,,n=\(login),r=abc"))
            return exchange.provide(nil)
        }
        #expect(firstChallenge("nobody") == firstChallenge("nobody"))
        #expect(firstChallenge("nobody") != firstChallenge("nobody2"))

        var exchange = ServerExchange(.scramSHA256, secrets: secrets)
        _ = exchange.start(initialResponse: bytes("n,,n=nobody,r=abc"))
        _ = exchange.provide(nil)
        let proof = String(lossyUTF8: Base64.encode([UInt8](repeating: 7, count: 32)))
        let nonce = "abc" + String(lossyUTF8: secrets.nonce)
        #expect(
            exchange.receive(bytes("c=biws,r=\(nonce),p=\(proof)")) == .failure(.rejected)
        )
    }

    @Test(arguments: [
        "p=tls-unique,,n=user,r=abc", "n,n=user,r=abc", "n,,n=us=er,r=abc", "n,,m=x,n=user,r=abc",
        "n,,n=,r=abc", "n,,n=user,r=", "n,,n=user,r=a\u{7}", "x,,n=user,r=abc", "",
    ])
    func refusesAMalformedOpening(_ message: String) {
        var exchange = ServerExchange(.scramSHA256, secrets: secrets)
        guard case .failure = exchange.receive(bytes(message)) else {
            Issue.record("\(message) was accepted")
            return
        }
    }

    @Test func readsEscapesAndAuthorizationIdentity() {
        var exchange = ServerExchange(.scramSHA256, secrets: secrets)
        #expect(
            exchange.receive(bytes("y,a=boss=2Cx,n=a=3Db,r=abc"))
                == .needsCredential(login: "a=b")
        )
    }

    /// The nonce of another exchange, or another channel binding than announced, is refused.
    @Test(arguments: ["c=biws,r=abcOTHER", "c=eSws,r=abc"])
    func refusesAReplayedFinal(_ start: String) throws {
        var exchange = ServerExchange(
            .scramSHA256,
            secrets: ExchangeSecrets(nonce: [], decoySecret: [1])
        )
        _ = exchange.receive(bytes("n,,n=user,r=abc"))
        _ = exchange.provide(try pencil())
        let proof = String(lossyUTF8: Base64.encode([UInt8](repeating: 7, count: 32)))
        #expect(exchange.receive(bytes("\(start),p=\(proof)")) == .failure(.malformed))
    }

    @Test func credentialSurvivesItsTextForm() throws {
        let credential = try pencil()
        #expect(credential.text.hasPrefix("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"))
        #expect(SCRAMCredential(text: credential.text) == credential)
        #expect(credential.verify(password: "pencil"))
        #expect(!credential.verify(password: "Pencil"))
    }

    @Test(arguments: [
        "", "SCRAM-SHA-256", "SCRAM-SHA-256$0:YQ==$YQ==:YQ==", "SCRAM-MD5$4096:YQ==$a:b",
        "SCRAM-SHA-256$4096:$$", "SCRAM-SHA-256$99999999999:YQ==$YQ==:YQ==",
    ])
    func refusesABrokenTextForm(_ text: String) {
        #expect(SCRAMCredential(text: text) == nil)
    }
}
