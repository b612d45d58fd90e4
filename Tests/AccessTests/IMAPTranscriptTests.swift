import Foundation
import Mail
import Net
import Synchronization
import TestRig
import Testing

@testable import Access

/// The dialogues of Tests/Transcripts/imap, each against a server of its own.
@Suite struct IMAPTranscriptTests {
    @Test(arguments: try Transcript.all(in: "imap"), Segmentation.allCases)
    func `The dialogue goes as written`(
        transcript: Transcript,
        segmentation: Segmentation
    ) async throws {
        try await Self.play(transcript, segmentation, on: .sqlite)
    }

    @Test(.serialized, arguments: try Transcript.all(in: "imap"))
    func `The dialogue goes the same over PostgreSQL`(transcript: Transcript) async throws {
        try await Self.play(transcript, .whole, on: .postgreSQL)
    }

    private static func play(
        _ transcript: Transcript,
        _ segmentation: Segmentation,
        on engine: TestEngine
    ) async throws {
        var options = IMAPRig.Options()
        options.engine = engine
        var certificate: TestCertificate?
        for given in transcript.givens {
            let words = given.split(separator: " ")
            switch given {
            case "tls":
                let pem = try await TestCertificate.make()
                certificate = pem
                options.settings.tls = try TLSIdentity(
                    certificatePath: pem.certificate,
                    keyPath: pem.key
                )
            case "cleartext login is refused": options.cleartextLogin = .refused
            case "one session for each account": options.settings.sessionsPerAccount = 1
            case _ where words.first == "quota" && words.count == 5:
                options.quotaBytes = Int64(words[1])
                options.quotaMessages = Int64(words[3])
            case _ where given.hasPrefix("appendlimit "):
                options.settings.messageBytes = try #require(Int(words[1]))
            default: continue
            }
        }
        let givens = transcript.givens
        try await IMAPRig.with(options) { rig in
            for given in givens { try await Self.prepare(given, rig) }
            let peer = IMAPPeer(rig.endpoint)
            do {
                try await transcript.play(against: peer, segmentation)
            } catch {
                await peer.closeAll()
                throw error
            }
            await peer.closeAll()
        }
        certificate?.remove()
    }

    /// `given 5 messages`, `given the message in parts`, `given mailbox a/b`.
    private static func prepare(_ given: String, _ rig: IMAPRig) async throws {
        let words = given.split(separator: " ")
        try await rig.store.openAccount(rig.account.id)
        if words.count == 2, words[1] == "messages", let count = Int(words[0]) {
            for number in 1...count {
                let day = 1_704_067_200_000 + Int64(number - 1) * 86_400_000
                try await rig.deliver(IMAPRig.plain(number), internalDate: day)
            }
        } else if given == "the message in parts" {
            try await rig.deliver(IMAPRig.parts, internalDate: 1_704_412_800_000)
        } else if words.first == "mailbox" {
            try await rig.store.create(
                words.dropFirst().joined(separator: " "),
                in: rig.account.id,
                by: rig.account.id
            )
        }
    }
}

/// Plays a transcript's client sides on real sockets.
final class IMAPPeer: TranscriptPeer {
    struct Silence: Error {}
    struct UnknownVerb: Error { let verb: String }

    private let endpoint: Endpoint
    private let connections = Mutex<[Int: Connection]>([:])

    init(_ endpoint: Endpoint) {
        self.endpoint = endpoint
    }

    private func connection(_ number: Int) async throws -> Connection {
        if let known = connections.withLock({ $0[number] }) { return known }
        let new = try await Dialer().connect(to: endpoint, within: .seconds(5))
        connections.withLock { $0[number] = new }
        return new
    }

    func send(_ bytes: [UInt8], on number: Int) async throws {
        try await connection(number).send(bytes)
    }

    func receive(on number: Int) async throws -> [UInt8]? {
        switch try await connection(number).next(within: .seconds(10)) {
        case .bytes(let bytes): return bytes
        case .closed: return nil
        case .timedOut, .woken: throw Silence()
        }
    }

    func perform(_ verb: String, on number: Int) async throws {
        let connection = try await connection(number)
        switch verb {
        case "tls": try await connection.startTLS(.opportunistic(), serverName: "imap.example")
        case "deflate": try connection.startCompression()
        case "close": await connection.close()
        default: throw UnknownVerb(verb: verb)
        }
    }

    func check(_ fact: String) async throws { throw UnknownVerb(verb: fact) }

    func closeAll() async {
        for connection in connections.withLock({ Array($0.values) }) { connection.abort() }
    }
}

/// A self-signed certificate that lives as long as a test.
struct TestCertificate: Sendable {
    let folder: String
    var certificate: String { folder + "/cert.pem" }
    var key: String { folder + "/key.pem" }

    static func make() async throws -> TestCertificate {
        let made = TestCertificate(folder: try TemporaryFolder.make())
        let result = try await Program.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=imap.example", "-keyout", made.key, "-out",
            made.certificate,
        ])
        try #require(result.status == 0, "\(result.output)")
        return made
    }

    func remove() { TemporaryFolder.remove(folder) }
}

/// A program that is not ours.
enum Program {
    struct Result: Sendable {
        let status: Int32
        let output: String
    }

    /// Runs it to its end, with `input` as its standard input; no thread waits for it.
    static func run(_ arguments: [String], input: String = "") async throws -> Result {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try input.write(toFile: folder + "/in", atomically: true, encoding: .utf8)
        try "".write(toFile: folder + "/out", atomically: true, encoding: .utf8)
        let output = try FileHandle(forWritingTo: URL(filePath: folder + "/out"))
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardInput = try FileHandle(forReadingFrom: URL(filePath: folder + "/in"))
        process.standardOutput = output
        process.standardError = output
        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        return Result(
            status: status,
            output: try String(contentsOfFile: folder + "/out", encoding: .utf8)
        )
    }
}
