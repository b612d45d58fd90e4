import Foundation
import Testing

@testable import Bench

/// Postfix's `smtp-sink` receives and stores; Python's `email` package reads what it stored.
@Suite("Sending to a program that is not ours")
struct SMTPSinkTests {
    static let sink = "/usr/sbin/smtp-sink"
    static let judge = """
        import email, email.policy, pathlib, sys
        kinds = {}
        for path in pathlib.Path(sys.argv[1]).iterdir():
            text = path.read_bytes().partition(b"\\n\\n")[0]
            whole = path.read_bytes()
            message = email.message_from_bytes(whole, policy=email.policy.default)
            assert not message.defects, (path, message.defects)
            for part in message.walk():
                assert not part.defects, (path, part.defects)
                if part.get_content_type() == "image/jpeg":
                    part.get_payload(decode=True)
            kind = message.get_content_type()
            kinds[kind] = kinds.get(kind, 0) + 1
            assert message["Message-ID"] and message["Date"].datetime and message["To"]
        print(" ".join(f"{kind}={kinds[kind]}" for kind in sorted(kinds)))
        """

    @Test(
        "Every message arrives whole, and is a message",
        arguments: [SMTPLoad.Language.smtp, .lmtp]
    )
    func everyMessageArrives(language: SMTPLoad.Language) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "bench-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(
            at: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o777]
        )
        // The umask took bits away from the attributes above.
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o777],
            ofItemAtPath: folder.path
        )
        defer { try? FileManager.default.removeItem(at: folder) }
        let port = Int.random(in: 20_000..<30_000)
        let sink = Process()
        sink.executableURL = URL(filePath: Self.sink)
        sink.arguments =
            (getuid() == 0 ? ["-u", "postfix"] : []) + (language == .lmtp ? ["-L"] : [])
            + ["-d", "\(folder.path)/", "127.0.0.1:\(port)", "50"]
        try sink.run()
        defer {
            // The sink inherits blocked signals from the test process, so that asking does not help.
            kill(sink.processIdentifier, SIGKILL)
            sink.waitUntilExit()
        }
        let runner = Runner(threads: 1, progress: .silent, patience: 20)
        var load = SMTPLoad(
            language: language,
            endpoint: Endpoint(host: "127.0.0.1", port: port),
            mix: try #require(SizeMix(parsing: "4k:2,30k:1,200k:1")),
            sender: NamePattern(before: "s", digits: 1, after: "@sender.test"),
            recipients: NamePattern(before: "u", digits: 4, after: "@bench.test")
        )
        load.amount = .count(40)
        load.sessions = 3
        load.messagesPerConnection = 5
        load.recipientsPerMessage = 2
        var report: Report?
        for attempt in 1...50 {
            do {
                report = try await load.run(runner)
                break
            } catch BenchError.connection where attempt < 50 {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        try await runner.shutDown()
        #expect(report?.items == 40)
        #expect(report?.failures == 0)
        #expect(
            try judgement(of: folder)
                == "multipart/alternative=10 multipart/mixed=10 text/plain=20"
        )
    }

    private func judgement(of folder: URL) throws -> String {
        let judge = Process()
        let output = Pipe()
        judge.executableURL = URL(filePath: "/usr/bin/env")
        judge.arguments = ["python3", "-c", Self.judge, folder.path]
        judge.standardOutput = output
        try judge.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        judge.waitUntilExit()
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
    }
}
