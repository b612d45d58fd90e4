import Database
import Mail

/// A row of `queue_message`.
struct StoredMessage: Sendable {
    let id: Int64
    let message: QueuedMessage
    let expiry: Int64

    init(_ row: borrowing Row) throws(QueueError) {
        id = row.int(0)
        let path = row.text(4)
        let reversePath: ReversePath
        if path.isEmpty {
            reversePath = .null
        } else {
            reversePath = .address(try PathText.address(path))
        }
        message = QueuedMessage(
            queueID: row.text(1),
            body: QueuedBody(id: row.int(2), size: Int(row.int(3))),
            reversePath: reversePath,
            envelopeID: row.textOrNil(5),
            returnContent: row.intOrNil(6).flatMap(ReturnContent.init(rawValue:)),
            requirements: TransportRequirements(rawValue: row.int(7)),
            arrival: row.int(8),
            source: row.text(10),
            language: row.textOrNil(11).flatMap(NotificationLanguage.init(rawValue:))
        )
        expiry = row.int(9)
    }
}

/// A row of `queue_recipient`.
struct StoredRecipient: Sendable {
    let messageID: Int64
    let number: Int
    let path: QueuedRecipient
    let state: RecipientState
    /// Unix milliseconds; see docs/internals/queue.md.
    let due: Int64
    let attempts: Int
    let isWarned: Bool
    let lastAttempt: Int64?
    let lastReply: NextHopReply?
    let lease: String?

    init(_ row: borrowing Row) throws(QueueError) {
        messageID = row.int(0)
        number = Int(row.int(1))
        path = QueuedRecipient(
            forwardPath: try PathText.address(row.text(2)),
            originalRecipient: row.textOrNil(3),
            notify: row.intOrNil(4).map {
                NotifyConditions(rawValue: UInt8(truncatingIfNeeded: $0))
            },
            destination: row.text(5)
        )
        guard let state = RecipientState(rawValue: row.int(6)) else {
            throw .failed("recipient \(row.int(0))/\(row.int(1)) has no known state")
        }
        self.state = state
        due = row.int(7)
        attempts = Int(row.int(8))
        isWarned = row.bool(9)
        lastAttempt = row.intOrNil(10)
        lease = row.textOrNil(15)
        if let text = row.textOrNil(13) {
            lastReply = NextHopReply(
                nextHop: row.text(11),
                status: StatusColumn.status(row.text(12)),
                text: text,
                origin: NextHopReply.Origin(rawValue: row.int(14)) ?? .local
            )
        } else {
            lastReply = nil
        }
    }

    var attemptRecipient: DeliveryAttempt.Recipient {
        DeliveryAttempt.Recipient(number: number, path: path, attempts: attempts)
    }
}

/// Paths as the tables hold them: local part and domain joined by `@`, never quoted, so that
/// operators can search them.
enum PathText {
    static func text(_ address: EmailAddress) -> String {
        "\(address.localPart)@\(address.domain)"
    }

    static func text(_ path: ReversePath) -> String {
        switch path {
        case .null: ""
        case .address(let address): text(address)
        }
    }

    static func address(_ text: String) throws(QueueError) -> EmailAddress {
        guard let sign = text.lastIndex(of: "@"),
            let address = EmailAddress(
                localPart: String(text[..<sign]),
                domain: String(text[text.index(after: sign)...])
            )
        else { throw .failed("a path in the queue is no address") }
        return address
    }
}

/// `4.4.1` in a column; anything else reads as x.0.0.
enum StatusColumn {
    static func status(_ text: String) -> EnhancedStatus {
        let parts = text.split(separator: ".").map { UInt16($0) }
        guard parts.count == 3, let classDigit = parts[0].flatMap({ UInt8(exactly: $0) }),
            let subject = parts[1], let detail = parts[2]
        else { return EnhancedStatus(4, 0, 0) }
        return EnhancedStatus(classDigit, subject, detail)
    }
}

/// A reply's text as a column can hold it: without U+0000, and not endless.
enum ReplyColumn {
    static let longest = 2_000

    static func text(_ reply: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in reply.unicodeScalars.prefix(longest) where scalar.value != 0 {
            scalars.append(scalar)
        }
        return String(scalars)
    }
}
