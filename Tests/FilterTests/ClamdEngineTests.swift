import Foundation
import Net
import Testing

@testable import Filter

/// Against the clamd of Debian, and against servers that misbehave.
@Suite(.serialized) struct ClamdEngineTests {
    private static let eicar =
        #"X5O!P%@AP[4\PZX54(P^)7CC)7}$"# + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

    private static func mail(_ body: String, encoding: String = "7bit") -> [UInt8] {
        [UInt8](
            """
            From: anne@demo.example\r
            Subject: test\r
            MIME-Version: 1.0\r
            Content-Type: multipart/mixed; boundary=b\r
            \r
            --b\r
            Content-Type: application/octet-stream; name=x.com\r
            Content-Transfer-Encoding: \(encoding)\r
            \r
            \(body)\r
            --b--\r

            """.utf8
        )
    }

    @Test("the real clamd finds EICAR, plain and encoded, over a unix socket and TCP")
    func real() async throws {
        guard let clamd = try RealClamd() else { return }
        defer { clamd.stop() }
        let unix = ClamdEngine(addresses: [clamd.unix])
        try await clamd.untilReady(unix)
        let encoded = Data(Self.eicar.utf8).base64EncodedString()
        for engine in [unix, ClamdEngine(addresses: [clamd.tcp])] {
            let budget = Duration.seconds(20)
            #expect(await engine.ping())
            #expect(await engine.version()?.hasPrefix("ClamAV") == true)
            #expect(await engine.scan(Self.mail("hello"), within: budget) == .clean)
            let plain = await engine.scan(Self.mail(Self.eicar), within: budget)
            #expect(plain == .infected("Bench.EICAR.UNOFFICIAL"))
            let base64 = await engine.scan(Self.mail(encoded, encoding: "base64"), within: budget)
            #expect(base64 == .infected("Bench.EICAR.UNOFFICIAL"))
            #expect(await engine.scan([], within: budget) == .clean)
        }

        // StreamMaxLength of the test's clamd is one megabyte.
        let large = [UInt8](repeating: 0x61, count: 900_000)
        #expect(await unix.scan(large, within: .seconds(20)) == .clean)
        let tooLarge = [UInt8](repeating: 0x61, count: 30_000_000)
        let verdict = await unix.scan(tooLarge, within: .seconds(20))
        #expect(verdict == .failed(.tooLarge))
        let dead = ClamdAddress.unix(clamd.folder.appending(path: "nobody").path)
        let failover = ClamdEngine(addresses: [dead, clamd.tcp])
        for _ in 0..<2 {
            #expect(await failover.scan(Self.mail("hello"), within: .seconds(20)) == .clean)
        }
    }

    @Test("nobody at any address is a failure, soon")
    func nobody() async throws {
        let engine = ClamdEngine(addresses: [
            .unix("/nonexistent/clamd"), .tcp(host: "127.0.0.1", port: 1),
        ])
        #expect(await engine.scan([0x61], within: .seconds(20)) == .failed(.unreachable))
        #expect(await !engine.ping())
        #expect(
            await ClamdEngine(addresses: []).scan([0x61], within: .seconds(1))
                == .failed(.unreachable)
        )
    }

    @Test(
        "an answer that is late, cut short or odd is a failure, within the budget",
        arguments: [
            ("silent", nil, EngineFailure.timedOut), ("half", "stream: O", .cutOff),
            ("nothing", "", .cutOff), ("no end", "stream: OK", .cutOff),
            ("two", "stream: OK\0stream: OK\0", .unknownAnswer("stream: OK?stream: OK?")),
            ("lie", "all is well\0", .unknownAnswer("all is well")),
            ("error", "INSTREAM size limit exceeded. ERROR\0", .tooLarge),
            ("endless", String(repeating: "x", count: 100_000), nil),
        ] as [(String, String?, EngineFailure?)]
    )
    func misbehaving(name: String, answer: String?, failure: EngineFailure?) async throws {
        let server = try FakeClamd(answer: answer)
        defer { server.stop() }
        let engine = ClamdEngine(addresses: [.tcp(host: "127.0.0.1", port: server.port)])
        let start = ContinuousClock.now
        let verdict = await engine.scan(Self.mail("x"), within: .milliseconds(700))
        #expect(ContinuousClock.now - start < .seconds(5))
        guard case .failed(let actual) = verdict else {
            Issue.record("\(name) gave \(verdict)")
            return
        }
        if let failure { #expect(actual == failure, "\(name)") }
    }
}
