import Foundation
import Net
import Testing
import Transfer

@Suite("The relay and TLS")
struct RelayTLSTests {
    /// A fresh certificate for `name`, and its key, in a folder of their own.
    static func withCertificate(
        _ name: String,
        _ body: (TLSIdentity, String) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("relais-relay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let (certificate, key) = ("\(folder.path)/cert.pem", "\(folder.path)/key.pem")
        let made = try await command([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-addext",
            "subjectAltName=DNS:\(name)", "-keyout", key, "-out", certificate,
        ])
        try #require(made.status == 0, "\(made.output)")
        try await body(try TLSIdentity(certificatePath: certificate, keyPath: key), certificate)
        try FileManager.default.removeItem(at: folder)
    }

    static func summary(_ hop: NextHop) async throws -> String {
        let relay = try RelayTests.relay(hop)
        return RelayTests.summaries(await relay.attempt(try makeAttempt(to: "example.org")))
            .joined()
    }

    @Test func tlsIsUsedWhereItIsOffered() async throws {
        try await Self.withCertificate("mx.example") { identity, _ in
            let server = FakeServer(identity: identity)
            try await server.serve { port in
                let result = try await Self.summary(NextHop(.name("mx.example"), port: port))
                #expect(result == "relayed 2.0.0 250 2.0.0 OK")
            }
            #expect(server.received.map(\.isSecure) == [true])
        }
    }

    @Test func aFailedHandshakeFallsBackToClearOnANewConnection() async throws {
        try await Self.withCertificate("mx.example") { identity, _ in
            let server = FakeServer(identity: identity) { line, _ in
                line == "TLS" ? .silence : nil
            }
            try await server.serve { port in
                let result = try await Self.summary(NextHop(.name("mx.example"), port: port))
                #expect(result == "relayed 2.0.0 250 2.0.0 OK")
            }
            #expect(server.received.map(\.isSecure) == [false])
            #expect(server.connections == 2)
        }
    }

    @Test func requiredTLSNeverFallsBack() async throws {
        try await Self.withCertificate("mx.example") { identity, _ in
            let broken = FakeServer(identity: identity) { line, _ in
                line == "TLS" ? .silence : nil
            }
            try await broken.serve { port in
                let hop = NextHop(.name("mx.example"), port: port, security: .required(.none))
                let result = try await Self.summary(hop)
                #expect(result.hasPrefix("deferred destination 4."))
            }
            #expect(broken.received.isEmpty)

            let plain = FakeServer()
            try await plain.serve { port in
                let hop = NextHop(.name("mx.example"), port: port, security: .required(.none))
                let result = try await Self.summary(hop)
                #expect(result == "deferred destination 4.7.10 TLS is required and not offered")
            }
            #expect(plain.received.isEmpty)
        }
    }

    @Test func verificationWantsTheNextHopsName() async throws {
        try await Self.withCertificate("mx.example") { identity, authority in
            let server = FakeServer(identity: identity)
            try await server.serve { port in
                for (name, works) in [("mx.example", true), ("mallory.example", false)] {
                    let hop = NextHop(
                        .name(name),
                        port: port,
                        security: .required(.authorities(authority))
                    )
                    let result = try await Self.summary(hop)
                    #expect(result.hasPrefix(works ? "relayed" : "deferred destination 4.7.5"))
                }
            }
            #expect(server.received.count == 1)
        }
    }
}

/// What a program that is not ours said and how it ended.
struct CommandOutcome: Sendable {
    let status: Int32
    let output: String
}

/// Runs a program of the system to its end.
func command(_ arguments: [String]) async throws -> CommandOutcome {
    try await BlockingThreads.shared.run {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return CommandOutcome(
            status: process.terminationStatus,
            output: String(decoding: text, as: UTF8.self)
        )
    }
}
