import Testing

@testable import Filter

@Suite struct ClamdAnswerTests {
    @Test(
        "answers mean what clamd means by them, and nothing else passes",
        arguments: [
            ("stream: OK", EngineVerdict.clean),
            ("stream: Eicar-Test-Signature FOUND", .infected("Eicar-Test-Signature")),
            ("INSTREAM size limit exceeded. ERROR", .failed(.tooLarge)),
            (
                "stream: Can't allocate memory ERROR",
                .failed(.error("stream: Can't allocate memory ERROR"))
            ),
            ("UNKNOWN COMMAND", .failed(.unknownAnswer("UNKNOWN COMMAND"))),
            ("", .failed(.unknownAnswer(""))), ("OK", .failed(.unknownAnswer("OK"))),
            ("stream: OK ", .failed(.unknownAnswer("stream: OK "))),
            ("stream: OK\n", .failed(.unknownAnswer("stream: OK?"))),
            ("STREAM: ok", .failed(.unknownAnswer("STREAM: ok"))),
            ("stream:  FOUND", .failed(.unknownAnswer("stream:  FOUND"))),
            ("1: stream: OK", .failed(.unknownAnswer("1: stream: OK"))),
            ("stream: a\r\nb FOUND", .infected("a??b")),
        ]
    )
    func verdicts(answer: String, verdict: EngineVerdict) {
        #expect(ClamdAnswer.verdict([UInt8](answer.utf8)[...]) == verdict)
    }

    @Test("an answer ends at its NUL, however it was cut")
    func pieces() {
        let answer = [UInt8]("stream: OK\0".utf8)
        for cut in 0..<answer.count {
            var reader = ClamdAnswerReader()
            #expect(reader.feed(Array(answer[..<cut])) == .incomplete)
            #expect(reader.feed(Array(answer[cut...])) == .answer(answer.dropLast()))
        }
    }

    @Test("two answers or endless ones are garbage")
    func garbage() {
        var reader = ClamdAnswerReader()
        let two = [UInt8]("stream: OK\0stream: OK\0".utf8)
        #expect(reader.feed(two) == .garbage(two))
        var endless = ClamdAnswerReader()
        var fed = 0
        while case .incomplete = endless.feed([UInt8](repeating: 0x61, count: 1_000)) { fed += 1 }
        #expect(fed <= 5)
    }

    @Test("addresses are read as the settings write them")
    func addresses() {
        #expect(ClamdAddress("unix:/run/clamav/clamd.ctl") == .unix("/run/clamav/clamd.ctl"))
        #expect(ClamdAddress("localhost:3310") == .tcp(host: "localhost", port: 3310))
        #expect(ClamdAddress("[::1]:3310") == .tcp(host: "::1", port: 3310))
        for bad in ["", "unix:", "host", "host:0", "host:99999", ":3310", "::1:3310", "host:x"] {
            #expect(ClamdAddress(bad) == nil, "\(bad)")
        }
    }
}
