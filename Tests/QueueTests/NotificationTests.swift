import Foundation
import Mail
import Queue
import Testing

/// The notifications of Tests/Golden/dsn, byte for byte; `UPDATE_GOLDEN=1` writes them anew.
@Suite("Notifications")
struct NotificationTests {
    @Test(arguments: NotificationExample.all)
    func areWrittenAsInTheGoldenFiles(_ example: NotificationExample) throws {
        let file = Self.golden.appendingPathComponent("\(example.name).golden")
        let message = example.written.bytes.filter { $0 != 0x0D }
        let text = """
            # \(example.about)
            ----------

            """ + String(decoding: message, as: UTF8.self)
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
    }

    /// Python's email package reads each as RFC 3464 wants it.
    @Test(arguments: NotificationExample.all)
    func areReadByPython(_ example: NotificationExample) throws {
        let judge = Self.golden.deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("QueueTests/judge_notification.py")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [judge.path]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: example.written.bytes)
        try input.fileHandleForWriting.close()
        let said = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(said)")
        #expect(said == example.facts, "\(example.name)")
    }

    /// Lines end in CRLF and keep to 998 bytes; a notification that is not announced as 8-bit has
    /// only ASCII.
    @Test(arguments: NotificationExample.all)
    func canBeSent(_ example: NotificationExample) {
        let written = example.written
        var previous: UInt8 = 0
        var length = 0
        for byte in written.bytes {
            #expect((byte == 0x0A) == (previous == 0x0D))
            length = byte == 0x0A ? 0 : length + 1
            #expect(length <= 999)
            if byte >= 0x80 { #expect(written.requirements.contains(.eightBit)) }
            previous = byte
        }
        #expect(previous == 0x0A)
    }

    /// Whatever the original holds, a notification about it can be sent and its parts be told apart.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func surviveAnyOriginal(seed: UInt64) throws {
        let random = SeededRandom(seed)
        let alphabet = Array("ab:\r\n\t -=_\u{0}é\u{80}".utf8)
        var original: [UInt8] = []
        for _ in 0..<Int(random.next() % 4_000) {
            let repeats = random.next() % 40 == 0 ? 1_200 : 1
            let byte = alphabet[Int(random.next() % UInt64(alphabet.count))]
            original += [UInt8](repeating: byte, count: repeats)
        }
        canBeSent(.failed(returning: .full, of: original))
        canBeSent(.failed(returning: .headers, of: original))
    }

    private static let golden = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(
            "Golden/dsn"
        )
}

/// One notification and what a reader finds in it.
struct NotificationExample: Sendable, CustomTestStringConvertible {
    let name: String
    let about: String
    let written: WrittenNotification
    /// What `judge_notification.py` prints.
    let facts: String

    var testDescription: String { name }

    private static let time: Int64 = 1_795_449_900_000

    private static func write(
        _ action: DeliveryNotification.Action,
        message: QueuedMessage,
        recipients: [(QueuedRecipient, NextHopReply)],
        lastAttempt: Int64 = 60_000,
        original: [UInt8] = TestBodies.text
    ) -> WrittenNotification {
        guard
            let notification = DeliveryNotification(
                action,
                about: message,
                recipients: recipients.map {
                    DeliveryNotification.Recipient(
                        path: $0.0,
                        reply: $0.1,
                        lastAttempt: time + lastAttempt
                    )
                },
                retryUntil: time + 432_000_000
            )
        else { preconditionFailure("an example from the null reverse-path") }
        let stamp = NotificationStamp(
            hostName: "mx.demo.example",
            now: time + 90_000,
            randomness: 0xBADC_0FFE
        )
        return NotificationWriter(notification, stamp: stamp).message(returning: original)
    }

    private static func message(
        from path: String = "anne@demo.example",
        _ change: (inout QueuedMessage) -> Void = { _ in }
    ) -> QueuedMessage {
        var message = QueuedMessage(
            queueID: "Q1",
            body: QueuedBody(id: 1, size: TestBodies.text.count),
            reversePath: EmailAddress(parsing: path).map { .address($0) } ?? .null,
            arrival: time,
            source: "anne"
        )
        change(&message)
        return message
    }

    private static func recipient(
        _ path: String,
        original: String? = nil
    ) -> QueuedRecipient {
        guard let path = EmailAddress(parsing: path) else { preconditionFailure("no address") }
        return QueuedRecipient(forwardPath: path, originalRecipient: original)
    }

    static func failed(returning: ReturnContent, of original: [UInt8]) -> NotificationExample {
        NotificationExample(
            name: "failed",
            about: "",
            written: write(
                .failed,
                message: message { $0.returnContent = returning },
                recipients: [(recipient("b@remote.example"), .unknown)],
                original: original
            ),
            facts: ""
        )
    }

    static let all = [
        NotificationExample(
            name: "failed-headers",
            about: "RFC 3461 §6.2: no RET, so the header comes back.",
            written: write(
                .failed,
                message: message(),
                recipients: [
                    (recipient("b@remote.example"), .unknown),
                    (recipient("\"c d\"@remote.example"), .unreachable),
                ]
            ),
            facts: """
                to=anne@demo.example
                languages=fr, en
                recipient=b@remote.example action=failed status=5.1.1 remote=mx.remote.example
                recipient="c d"@remote.example action=failed status=5.4.1 remote=None
                returned=text/rfc822-headers subject=Budget body=False

                """
        ),
        NotificationExample(
            name: "failed-full-english-first",
            about: "RFC 3461 §4.3: RET=FULL; the reverse-path's owner reads English.",
            written: write(
                .failed,
                message: message {
                    $0.returnContent = .full
                    $0.language = .english
                    $0.envelopeID = "QQ314159"
                },
                recipients: [
                    (
                        recipient("b@remote.example", original: "rfc822;old@demo.example"),
                        NextHopReply(
                            nextHop: "mx.remote.example",
                            status: EnhancedStatus(5, 2, 2),
                            text: "552 5.2.2 "
                                + String(repeating: "The mailbox is full. ", count: 12),
                            origin: .remote
                        )
                    )
                ]
            ),
            facts: """
                to=anne@demo.example
                languages=en, fr
                envelope=QQ314159
                recipient=b@remote.example action=failed status=5.2.2 remote=mx.remote.example \
                original=rfc822; old@demo.example
                returned=message/rfc822 subject=Budget body=True

                """
        ),
        NotificationExample(
            name: "failed-given-up",
            about: "RFC 3464 §2.3.4: a temporary failure that lasted for the message's lifetime.",
            written: write(
                .failed,
                message: message(),
                recipients: [(recipient("b@remote.example"), .unreachable)],
                lastAttempt: 5 * 86_400_000
            ),
            facts: """
                to=anne@demo.example
                languages=fr, en
                recipient=b@remote.example action=failed status=5.4.1 remote=None
                returned=text/rfc822-headers subject=Budget body=False

                """
        ),
        NotificationExample(
            name: "delayed",
            about: "RFC 3464 §2.3.3: delayed, with the end of the attempts.",
            written: write(
                .delayed,
                message: message { $0.returnContent = .full },
                recipients: [(recipient("b@remote.example"), .unreachable)]
            ),
            facts: """
                to=anne@demo.example
                languages=fr, en
                recipient=b@remote.example action=delayed status=4.4.1 remote=None \
                until=Sat, 28 Nov 2026 16:05:00 +0000
                returned=text/rfc822-headers subject=Budget body=False

                """
        ),
        NotificationExample(
            name: "relayed",
            about: "RFC 3461 §6.3: NOTIFY=SUCCESS and a next hop without DSN.",
            written: write(
                .relayed,
                message: message(),
                recipients: [(recipient("b@remote.example"), .accepted)]
            ),
            facts: """
                to=anne@demo.example
                languages=fr, en
                recipient=b@remote.example action=relayed status=2.0.0 remote=mx.remote.example
                returned=text/rfc822-headers subject=Budget body=False

                """
        ),
        NotificationExample(
            name: "failed-utf8",
            about: "RFC 6533: an address that only UTF-8 can write.",
            written: write(
                .failed,
                message: message(from: "benoît@demo.example") {
                    $0.requirements = [.smtpUTF8, .eightBit]
                },
                recipients: [
                    (
                        recipient("élise@bücher.example", original: "utf-8;élise@old.example"),
                        .unknown
                    )
                ],
                original: Array(
                    "Subject: Budget\r\nFrom: Benoît <benoît@demo.example>\r\n\r\nÉté\r\n".utf8
                )
            ),
            facts: """
                to=benoît@demo.example
                languages=fr, en
                recipient=élise@bücher.example action=failed status=5.1.1 remote=mx.remote.example \
                original=utf-8; élise@old.example
                returned=message/global-headers subject=Budget body=False

                """
        ),
    ]
}
