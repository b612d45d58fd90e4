import Foundation
import Net
import Testing

/// How long a test waits for what must come, on a machine that may be busy.
let patience = Duration.seconds(60)

/// Serves `handler` on a loopback port while `body` runs, then drains.
func withServer(
    security: Listener.Security = .plain,
    trustedProxies: [IPNetwork] = [],
    limits: ServerLimits = ServerLimits(),
    refusal: @escaping @Sendable (Refusal) -> [UInt8] = { _ in [] },
    handler: @escaping @Sendable (Connection) async -> Void,
    _ body: (Endpoint, Server) async throws -> Void
) async throws {
    let loopback = try #require(Endpoint("127.0.0.1:0"))
    let server = Server(
        [Listener(loopback, security: security, trustedProxies: trustedProxies)],
        limits: limits,
        refusal: refusal
    )
    let endpoint = try #require(try await server.bind().first)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await server.serve(handler) }
        do {
            try await body(endpoint, server)
        } catch {
            await server.drain(within: .seconds(1))
            throw error
        }
        await server.drain(within: .seconds(5))
        try await group.waitForAll()
    }
}

/// Sends back everything it receives until the client ends.
@Sendable func echo(_ connection: Connection) async {
    while case .bytes(let bytes) = await connection.next(within: patience) {
        do { try await connection.send(bytes) } catch { return }
    }
}

extension Connection {
    /// Waits until `count` bytes have come, or the connection ends or stalls.
    func read(_ count: Int) async -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count, case .bytes(let bytes) = await next(within: patience) {
            all += bytes
        }
        return all
    }

    /// Waits for the end and returns all that came before it.
    func readToEnd() async -> [UInt8] { await read(.max) }

    func readLine() async -> String {
        var all: [UInt8] = []
        while !all.contains(0x0A), case .bytes(let bytes) = await next(within: patience) {
            all += bytes
        }
        return String(decoding: all, as: UTF8.self)
    }
}

/// What a program that is not ours said and how it ended.
struct Outcome: Sendable {
    let status: Int32
    let output: String
}

/// Runs a program of the system to its end with `input` as its standard input.
func run(_ arguments: [String], input: String = "") async throws -> Outcome {
    try await BlockingThreads.shared.run {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stdout
        try process.run()
        stdin.fileHandleForWriting.write(Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let output = stdout.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus,
            output: String(decoding: output, as: UTF8.self)
        )
    }
}

/// A fresh self-signed certificate in a directory of its own.
struct TestCertificate {
    let directory: URL
    var certificate: String { directory.appendingPathComponent("cert.pem").path }
    var key: String { directory.appendingPathComponent("key.pem").path }

    init(name: String) async throws {
        directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("relais-net-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try await replace(name: name)
    }

    func replace(name: String) async throws {
        let outcome = try await run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-addext",
            "subjectAltName=DNS:\(name)", "-keyout", key, "-out", certificate,
        ])
        try #require(outcome.status == 0, "\(outcome.output)")
    }

    func remove() throws {
        try FileManager.default.removeItem(at: directory)
    }
}
