import Mail
import Testing

@testable import Journal

@Suite("Journal lines")
struct LineTests {
    @Test("A value cannot forge a second line or a second field")
    func escaping() throws {
        let event = MailEvent.loginFailed(
            door: .imap,
            name: "anne\nevent=login account=\"root\"",
            client: "192.0.2.1",
            mechanism: "PLAIN"
        )
        #expect(
            event.line
                == #"event=login_failed door=imap name="anne\nevent=login account=\"root\"" client=192.0.2.1 mechanism=PLAIN"#
        )
        #expect(!event.line.contains("\n"))
    }

    @Test("The null reverse-path is written as an empty path")
    func nullPath() throws {
        let event = MailEvent.received(
            queueID: "Q1",
            door: .mx,
            reversePath: .null,
            recipients: 2,
            size: 10,
            client: "192.0.2.1",
            account: nil
        )
        #expect(
            event.line
                == "event=received queue_id=Q1 door=mx reverse_path=<> recipients=2 size=10 client=192.0.2.1"
        )
    }

    @Test("An endless reply of a peer is cut")
    func bounded() {
        let line = MailEvent.engineFailed(
            engine: "clamd",
            reason: String(repeating: "é", count: 9_000)
        ).line
        #expect(line.utf8.count < 3_000)
    }

    @Test("Seconds keep one decimal", arguments: [(0.0, "0.0"), (12.34, "12.3"), (0.96, "1.0")])
    func seconds(value: Double, text: String) {
        #expect(LogLine.seconds(value) == text)
    }
}
