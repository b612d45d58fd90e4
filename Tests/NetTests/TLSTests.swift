import Foundation
import Net
import Testing

@Suite("TLS")
struct TLSTests {
    let dialer = Dialer()

    /// The smallest SMTP server that can start TLS.
    @Sendable static func startTLSServer(
        _ identity: TLSIdentity
    )
        -> @Sendable (Connection) async ->
        Void
    {
        { connection in
            try? await connection.send(Array("220 mx.example ESMTP\r\n".utf8))
            var pending = ""
            while case .bytes(let bytes) = await connection.next(within: patience) {
                pending += String(decoding: bytes, as: UTF8.self)
                while let end = pending.range(of: "\r\n") {
                    let line = pending[..<end.lowerBound].uppercased()
                    pending.removeSubrange(..<end.upperBound)
                    do {
                        if line.hasPrefix("EHLO") {
                            try await connection.send(
                                Array("250-mx.example\r\n250 STARTTLS\r\n".utf8)
                            )
                        } else if line == "STARTTLS" {
                            try await connection.startTLS(
                                identity,
                                saying: Array("220 go ahead\r\n".utf8)
                            )
                        } else if line == "QUIT" {
                            let secure = connection.tlsVersion ?? "clear"
                            try await connection.send(Array("221 \(secure)\r\n".utf8))
                            return
                        }
                    } catch NetError.injectedPlaintext {
                        try? await connection.send(Array("554 injected\r\n".utf8))
                        return
                    } catch {
                        return
                    }
                }
            }
        }
    }

    @Test func opensslStartsTLSAndTalks() async throws {
        let pem = try await TestCertificate(name: "mx.example")
        let identity = try TLSIdentity(certificatePath: pem.certificate, keyPath: pem.key)
        try await withServer(handler: Self.startTLSServer(identity)) { endpoint, _ in
            let outcome = try await run(
                [
                    "openssl", "s_client", "-connect", "\(endpoint)", "-starttls", "smtp",
                    "-CAfile", pem.certificate, "-verify_hostname", "mx.example",
                    "-verify_return_error", "-quiet", "-ign_eof",
                ],
                input: "QUIT\r\n"
            )
            #expect(outcome.output.contains("221 TLSv1.3"), "\(outcome.output)")
        }
        try pem.remove()
    }

    @Test func oldVersionsAreRefused() async throws {
        let pem = try await TestCertificate(name: "mx.example")
        let identity = try TLSIdentity(certificatePath: pem.certificate, keyPath: pem.key)
        try await withServer(security: .implicit(identity), handler: echo) { endpoint, _ in
            for (option, works) in [("-tls1_1", false), ("-tls1_2", true), ("-tls1_3", true)] {
                let outcome = try await run(
                    [
                        "openssl", "s_client", "-connect", "\(endpoint)", option, "-cipher",
                        "DEFAULT@SECLEVEL=0",
                    ],
                    input: "Q\n"
                )
                #expect((outcome.status == 0) == works, "\(option)")
            }
        }
        try pem.remove()
    }

    @Test func bytesSlippedInBehindSTARTTLSAreRefused() async throws {
        let pem = try await TestCertificate(name: "mx.example")
        let identity = try TLSIdentity(certificatePath: pem.certificate, keyPath: pem.key)
        let (verdicts, report) = AsyncStream.makeStream(of: Bool.self)
        try await withServer(handler: { connection in
            guard case .bytes = await connection.next(within: patience) else { return }
            while connection.bufferedBytes == 0 { await Task.yield() }
            do {
                try await connection.startTLS(identity, saying: Array("220 go\r\n".utf8))
                report.yield(false)
            } catch {
                let isRefused = error as? NetError == .injectedPlaintext
                report.yield(isRefused && !connection.isSecure)
                try? await connection.send(Array("554 no\r\n".utf8))
            }
        }) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            try await client.send(Array("STARTTLS\r\n".utf8))
            try await Task.sleep(for: .milliseconds(100))
            try await client.send(Array("MAIL FROM:<mallory@example.net>\r\n".utf8))
            #expect(await client.readLine() == "554 no\r\n")
            #expect(await verdicts.first { _ in true } == true)
            await client.close()
        }
        try pem.remove()
    }

    @Test func bothSidesStartTLSAndCarryMegabytes() async throws {
        let pem = try await TestCertificate(name: "mx.example")
        let identity = try TLSIdentity(certificatePath: pem.certificate, keyPath: pem.key)
        try await withServer(security: .implicit(identity), handler: echo) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            let tls = try ClientTLS.verified(authorities: pem.certificate)
            try await client.startTLS(tls, serverName: "mx.example")
            #expect(client.tlsVersion == "TLSv1.3")
            let sent = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 2) }
            async let received = client.read(sent.count)
            try await client.send(sent)
            #expect(await received == sent)
            await client.close()
        }
        try pem.remove()
    }

    @Test func verificationWantsTheRightNameAndAKnownAuthority() async throws {
        let pem = try await TestCertificate(name: "mx.example")
        let identity = try TLSIdentity(certificatePath: pem.certificate, keyPath: pem.key)
        try await withServer(security: .implicit(identity), handler: echo) { endpoint, _ in
            func connects(_ tls: ClientTLS, as name: String) async throws -> Bool {
                let client = try await dialer.connect(to: endpoint, within: patience)
                do {
                    try await client.startTLS(tls, serverName: name)
                    await client.close()
                    return true
                } catch {
                    await client.close()
                    return false
                }
            }
            let known = try ClientTLS.verified(authorities: pem.certificate)
            #expect(try await connects(known, as: "mx.example"))
            #expect(try await !connects(known, as: "other.example"))
            #expect(try await !connects(ClientTLS.verified(), as: "mx.example"))
            #expect(try await connects(ClientTLS.opportunistic(), as: "other.example"))
        }
        try pem.remove()
    }

    @Test func aReloadedCertificateServesTheNextConnection() async throws {
        let pem = try await TestCertificate(name: "old.example")
        let identity = try TLSIdentity(certificatePath: pem.certificate, keyPath: pem.key)
        try await withServer(security: .implicit(identity), handler: echo) { endpoint, _ in
            func subject() async throws -> String {
                try await run(["openssl", "s_client", "-connect", "\(endpoint)"], input: "Q\n")
                    .output
            }
            #expect(try await subject().contains("CN = old.example"))
            try await pem.replace(name: "new.example")
            #expect(try await subject().contains("CN = old.example"))
            try identity.reload()
            #expect(try await subject().contains("CN = new.example"))

            try FileManager.default.removeItem(atPath: pem.key)
            let error = #expect(throws: NetError.self) { try identity.reload() }
            guard case .certificate(let file, _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(file == pem.key)
            #expect(try await subject().contains("CN = new.example"))
        }
        try pem.remove()
    }

    @Test func aClientThatNeverShakesHandsIsCut() async throws {
        let pem = try await TestCertificate(name: "mx.example")
        let identity = try TLSIdentity(certificatePath: pem.certificate, keyPath: pem.key)
        var limits = ServerLimits()
        limits.connection.handshakeTimeout = .milliseconds(300)
        try await withServer(security: .implicit(identity), limits: limits, handler: echo) {
            endpoint,
            _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            #expect(await client.next(within: patience) == .closed)
            await client.close()
        }
        try pem.remove()
    }

    @Test func garbageInsteadOfAHandshakeIsCut() async throws {
        let pem = try await TestCertificate(name: "mx.example")
        let identity = try TLSIdentity(certificatePath: pem.certificate, keyPath: pem.key)
        try await withServer(security: .implicit(identity), handler: echo) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            try await client.send(Array("EHLO client.example\r\n".utf8))
            _ = await client.readToEnd()
            #expect(await client.next(within: patience) == .closed)
            await client.close()
        }
        try pem.remove()
    }
}
