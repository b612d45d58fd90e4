import Foundation
import Net
import TestRig
import Testing

@testable import Access

/// Clients that mean no good, or cannot keep up.
@Suite struct HostileClientTests {
    @Test func `Commands slipped in behind STARTTLS are refused and the session ends`() async throws
    {
        let pem = try await TestCertificate.make()
        defer { pem.remove() }
        var options = IMAPRig.Options()
        options.settings.tls = try TLSIdentity(
            certificatePath: pem.certificate,
            keyPath: pem.key
        )
        try await IMAPRig.with(options) { rig in
            let connection = try await Dialer().connect(to: rig.endpoint, within: .seconds(5))
            try await connection.send(Array("a STARTTLS\r\nb LOGIN anne demo\r\n".utf8))
            let said = await Self.readToEnd(connection)
            #expect(said.contains("a BAD Commands may not follow STARTTLS"))
            #expect(said.contains("* BYE [CLIENTBUG]"))
            #expect(!said.contains("b OK"))
            await connection.close()
        }
    }

    @Test func `A stranger who never logs in is sent away, however busy`() async throws {
        var options = IMAPRig.Options()
        options.settings.loginTimeout = .zero
        try await IMAPRig.with(options) { rig in
            let connection = try await Dialer().connect(to: rig.endpoint, within: .seconds(5))
            try await connection.send(Array("a NOOP\r\n".utf8))
            #expect(await Self.readToEnd(connection).contains("* BYE Autologout"))
            await connection.close()
        }
    }

    @Test func `Guessing passwords ends after a few tries`() async throws {
        try await IMAPRig.with { rig in
            let connection = try await Dialer().connect(to: rig.endpoint, within: .seconds(5))
            for number in 1...9 {
                try await connection.send(Array("a\(number) LOGIN anne guess\(number)\r\n".utf8))
            }
            let said = await Self.readToEnd(connection)
            #expect(said.contains("a5 NO [AUTHENTICATIONFAILED]"))
            #expect(said.contains("* BYE Too many failed logins"))
            #expect(!said.contains("a6 "))
            await connection.close()
        }
    }

    @Test func `Noise ends the session after a bounded number of complaints`() async throws {
        try await IMAPRig.with { rig in
            let connection = try await Dialer().connect(to: rig.endpoint, within: .seconds(5))
            var numbers = SystemRandomNumberGenerator()
            var noise: [UInt8] = []
            for _ in 0..<20_000 { noise.append(UInt8.random(in: 0...255, using: &numbers)) }
            noise += Array(String(repeating: "\r\nx y\r\n", count: 100).utf8)
            do { try await connection.send(noise) } catch {}
            let said = await Self.readToEnd(connection)
            #expect(said.contains("* BYE"))
            #expect(said.split(separator: "\r\n").count < 60)
            await connection.close()
        }
    }

    @Test func `A client that does not read is not served ahead of its reading`() async throws {
        try await IMAPRig.with { rig in
            let big = IMAPRig.plain(1) + String(repeating: "0123456789abcdef\r\n", count: 100_000)
            for _ in 0..<8 { try await rig.deliver(big) }
            let connection = try await Dialer().connect(to: rig.endpoint, within: .seconds(5))
            try await connection.send(
                Array("a LOGIN anne demo\r\nb SELECT INBOX\r\nc FETCH 1:8 BODY.PEEK[]\r\n".utf8)
            )
            // The whole answer is 14 MB; another session is served meanwhile.
            let other = try await LineClient(rig.endpoint)
            try await other.logIn()
            _ = try await other.run("SELECT INBOX")
            _ = try await other.run("STORE 1 +FLAGS (\\Flagged)")
            await other.close()
            var received = 0
            var tail = ""
            while !tail.hasSuffix("c OK FETCH completed\r\n"),
                case .bytes(let bytes) = await connection.next(within: .seconds(10))
            {
                received += bytes.count
                tail = String(decoding: bytes.suffix(40), as: UTF8.self)
            }
            #expect(received > 8 * big.utf8.count)
            await connection.close()
        }
    }

    @Test func `A pipeline that is cut off in the middle leaves nothing behind`() async throws {
        var options = IMAPRig.Options()
        options.settings.sessionsPerAccount = 1
        options.settings.heldBytes = 2_000_000
        try await IMAPRig.with(options) { rig in
            for _ in 0..<3 {
                let client = try await Dialer().connect(to: rig.endpoint, within: .seconds(5))
                try await client.send(
                    Array("a LOGIN anne demo\r\nb APPEND INBOX {1900000}\r\nFrom: x".utf8)
                )
                var said = ""
                while !said.contains("+ Ready"),
                    case .bytes(let bytes) = await client.next(within: .seconds(10))
                {
                    said += String(decoding: bytes, as: UTF8.self)
                }
                #expect(said.contains("+ Ready"), "\(said)")
                client.abort()
                // The next login needs the place and the memory of this one.
                while rig.server.connectionCount > 0 { await Task.yield() }
            }
        }
    }

    private static func readToEnd(_ connection: Connection) async -> String {
        var all: [UInt8] = []
        while case .bytes(let bytes) = await connection.next(within: .seconds(10)) { all += bytes }
        return String(decoding: all, as: UTF8.self)
    }
}
