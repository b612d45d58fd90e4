import Foundation
import Net
import SMTP
import TestRig
import Testing
import Transfer

/// Clients that we did not write, against real doors.
@Suite("Strange clients", .serialized)
struct ClientTests {
    private func options(_ role: DoorRole) -> DoorRig.Options {
        var options = DoorRig.Options()
        options.role = role
        options.mailboxes = ["anna@example.org", "emma@example.org"]
        return options
    }

    private static let scram = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("scram.py").path

    /// RFC 7677, by Python's hashlib and smtplib; the message comes out as it went in.
    @Test func pythonSubmitsAfterSCRAM() async throws {
        try await DoorRig.with(options(.submission)) { rig in
            let outcome = try await command([
                "python3", Self.scram, "\(rig.port)", "anna", "secret",
            ])
            #expect(outcome.output == "235 2.7.0 Authenticated\n{}\n")
            let message = try #require(try await rig.messages(of: "emma").first)
            let text = String(decoding: message, as: UTF8.self)
            #expect(text.hasSuffix("\r\nSubject: scram\r\n\r\n.dot\r\n..\r\n"))
            #expect(try await rig.queue.list().count == 1)
        }
    }

    @Test(arguments: [("anna", "wrong"), ("nobody", "secret")])
    func pythonFailsSCRAM(login: String, password: String) async throws {
        try await DoorRig.with(options(.submission)) { rig in
            let outcome = try await command([
                "python3", Self.scram, "\(rig.port)", login, password,
            ])
            #expect(outcome.output == "535 5.7.8 Authentication failed\n")
        }
    }

    /// RFC 8314 §3.3: TLS from the first octet.
    @Test func swaksSubmitsOverImplicitTLS() async throws {
        var options = options(.submission)
        options.implicitTLS = true
        options.allowsCleartextLogin = false
        try await DoorRig.with(options) { rig in
            let outcome = try await command([
                "swaks", "--server", "127.0.0.1:\(rig.port)", "--tls-on-connect", "--auth",
                "LOGIN", "--auth-user", "anna@example.org", "--auth-password", "secret",
                "--from", "anna@example.org", "--to", "emma@example.org", "--helo",
                "client.example", "--pipeline",
            ])
            #expect(outcome.status == 0, "\(outcome.output)")
            let message = try #require(try await rig.messages(of: "emma").first)
            #expect(String(decoding: message, as: UTF8.self).contains("with ESMTPSA id"))
        }
    }

    @Test func swaksSpeaksLMTP() async throws {
        try await DoorRig.with(options(.lmtp)) { rig in
            let outcome = try await command([
                "swaks", "--protocol", "LMTP", "--server", "127.0.0.1:\(rig.port)", "--from",
                "bob@elsewhere.example", "--to", "anna@example.org,emma@example.org", "--helo",
                "client.example",
            ])
            #expect(outcome.status == 0, "\(outcome.output)")
            #expect(outcome.output.components(separatedBy: "250 2.0.0 Accepted as").count == 3)
            #expect(try await rig.messages(of: "anna").count == 1)
        }
    }

    @Test func opensslStartsTLS() async throws {
        try await DoorRig.with(options(.mx)) { rig in
            let outcome = try await command(
                [
                    "openssl", "s_client", "-starttls", "smtp", "-connect",
                    "127.0.0.1:\(rig.port)", "-brief", "-quiet", "-crlf",
                ],
                input: "QUIT\n"
            )
            #expect(outcome.output.contains("221 2.0.0 Goodbye"), "\(outcome.output)")
        }
    }

    /// CVE-2011-0411: what is pipelined behind STARTTLS in one packet never counts.
    @Test func plaintextBehindSTARTTLSIsThrownAway() async throws {
        try await DoorRig.with(options(.mx)) { rig in
            let client = try await Dialer().connect(to: rig.endpoint, within: .seconds(10))
            try await client.send(Array("EHLO a\r\nSTARTTLS\r\nNOOP injected\r\n".utf8))
            var said = ""
            while !said.contains("\r\n503 5.5.1"),
                case .bytes(let bytes) = await client.next(within: .seconds(60))
            {
                said += String(decoding: bytes, as: UTF8.self)
            }
            #expect(!said.contains("220 2.0.0 Go ahead"))
            #expect(said.contains("503 5.5.1 Nothing may be sent after STARTTLS"))
            await client.close()
        }
    }

    /// A door that is stopped finishes the open transaction and says good-bye at its end.
    @Test func drainingLetsTransactionsFinish() async throws {
        try await DoorRig.with(options(.mx)) { rig in
            let client = try await Dialer().connect(to: rig.endpoint, within: .seconds(10))
            let idle = try await Dialer().connect(to: rig.endpoint, within: .seconds(10))
            func read(_ connection: Connection, until text: String) async -> String {
                var said = ""
                while !said.contains(text),
                    case .bytes(let bytes) = await connection.next(within: .seconds(60))
                {
                    said += String(decoding: bytes, as: UTF8.self)
                }
                return said
            }
            try await client.send(
                Array("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.org>\r\nDATA\r\n".utf8)
            )
            _ = await read(client, until: "354 ")
            _ = await read(idle, until: "220 ")
            async let drained: Void = rig.server.drain(within: .seconds(30))
            #expect(await read(idle, until: "421 ").contains("421 4.3.2 Stopping"))
            try await client.send(Array("Subject: last\r\n\r\n.\r\n".utf8))
            let last = await read(client, until: "421 ")
            #expect(last.contains("250 2.0.0 Accepted as"))
            await client.close()
            await idle.close()
            await drained
            #expect(try await rig.messages(of: "anna").count == 1)
        }
    }

    /// RFC 5321 §4.5.3.2: the time that a message took is not taken from the next command's.
    @Test func aLongMessageLeavesTimeForTheNextCommand() async throws {
        var options = options(.mx)
        options.patience = Patience(
            command: .milliseconds(500),
            dataBlock: .seconds(60),
            message: .seconds(60)
        )
        try await DoorRig.with(options) { rig in
            let client = try await Dialer().connect(to: rig.endpoint, within: .seconds(10))
            func say(_ text: String, until reply: String) async throws -> String {
                try await client.send(Array(text.utf8))
                var said = ""
                while !said.contains(reply),
                    case .bytes(let bytes) = await client.next(within: .seconds(60))
                {
                    said += String(decoding: bytes, as: UTF8.self)
                }
                return said
            }
            let head = "HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.org>\r\nDATA\r\n"
            _ = try await say(head, until: "354 ")
            // Time is what this test is about.
            try await Task.sleep(for: .milliseconds(700))
            #expect(try await say("x\r\n.\r\n", until: "\r\n").hasPrefix("250 2.0.0"))
            #expect(try await say("NOOP\r\n", until: "\r\n") == "250 2.0.0 OK\r\n")
            await client.close()
        }
    }

    /// A transaction given up half-way gives its memory back at once.
    @Test func resetFreesTheBudget() async throws {
        try await DoorRig.with(options(.mx)) { rig in
            let client = try await Dialer().connect(to: rig.endpoint, within: .seconds(10))
            let chunk = String(repeating: "a", count: 60_000)
            let talk =
                "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.org>\r\n"
                + "BDAT 60000\r\n\(chunk)"
            try await client.send(Array(talk.utf8))
            var said = ""
            while !said.contains("so far\r\n"),
                case .bytes(let bytes) = await client.next(within: .seconds(60))
            {
                said += String(decoding: bytes, as: UTF8.self)
            }
            #expect(rig.budget.heldOctets >= 60_000)
            try await client.send(Array("RSET\r\n".utf8))
            _ = await client.next(within: .seconds(60))
            #expect(rig.budget.heldOctets == 0)
            await client.close()
        }
    }
}
