import Mail
import Wire

/// Writes a notification as a message: multipart/report with a text for people, the fields for
/// programs, and what is returned of the message.
///
/// A pure function of its arguments. All of it is 7-bit unless the returned message itself is not.
///
/// RFC 3461 §6.2, RFC 3464 §2, RFC 6522 §3, RFC 6533 §3
package struct NotificationWriter: Sendable {
    /// Largest message that comes back whole, in bytes; of a larger one only the header does.
    package static let largestReturned = 1_048_576

    /// Largest header that comes back, in bytes; of a larger one the first lines do.
    package static let largestHeader = 65_536

    private let notification: DeliveryNotification
    private let stamp: NotificationStamp
    private let boundary: String
    /// True when an address cannot be written without UTF-8.
    private let isGlobal: Bool

    package init(_ notification: DeliveryNotification, stamp: NotificationStamp) {
        self.notification = notification
        self.stamp = stamp
        boundary = "=_relais_\(Hexadecimal.text(stamp.randomness))_\(stamp.now)"
        isGlobal =
            notification.message.requirements.contains(.smtpUTF8)
            || notification.reversePath.needsSMTPUTF8
            || notification.recipients.contains { $0.path.forwardPath.needsSMTPUTF8 }
    }

    /// The whole message with CRLF lines.
    ///
    /// `original` is the message as it stands in the store.
    package func message(returning original: [UInt8]) -> WrittenNotification {
        let returned = ReturnedPart(
            of: original,
            for: notification,
            isGlobal: isGlobal
        )
        var bytes: [UInt8] = []
        bytes.reserveCapacity(returned.bytes.count + 4_096)
        writeHeader(into: &bytes, original: original, isEightBit: returned.isEightBit)
        writeDelimiter(into: &bytes)
        writeText(into: &bytes)
        writeDelimiter(into: &bytes)
        writeFields(into: &bytes)
        writeDelimiter(into: &bytes)
        returned.write(into: &bytes)
        bytes.append(text: "\r\n--\(boundary)--\r\n")

        var requirements: TransportRequirements = []
        if isGlobal { requirements.insert(.smtpUTF8) }
        if isGlobal || returned.isEightBit { requirements.insert(.eightBit) }
        return WrittenNotification(bytes: bytes, requirements: requirements)
    }

    private func writeDelimiter(into bytes: inout [UInt8]) {
        bytes.append(text: "\r\n--\(boundary)\r\n")
    }

    // MARK: Header

    private func writeHeader(into bytes: inout [UInt8], original: [UInt8], isEightBit: Bool) {
        let languages = notificationLanguages
        let subject = languages.map { NotificationText.subject(notification.action, in: $0) }
            .joined(separator: " / ")
        let sender = languages.map { NotificationText.senderName(in: $0) }
            .joined(separator: " / ")
        field("From", into: &bytes) {
            EncodedWords.append(sender, after: "From: ".utf8.count, into: &$0)
            $0.append(text: "\r\n <MAILER-DAEMON@\(stamp.hostName)>")
        }
        field("To", into: &bytes) { $0.append(text: "<\(notification.reversePath)>") }
        field("Subject", into: &bytes) {
            EncodedWords.append(subject, after: "Subject: ".utf8.count, into: &$0)
        }
        field("Date", into: &bytes) { $0.append(text: MailDate.text(stamp.now)) }
        field("Message-ID", into: &bytes) {
            let name = "\(stamp.now).\(Hexadecimal.text(stamp.randomness))"
            $0.append(text: "<\(name)@\(stamp.hostName)>")
        }
        if let messageID = OriginalHeader(original).messageID {
            field("In-Reply-To", into: &bytes) { $0.append(contentsOf: messageID) }
            field("References", into: &bytes) { $0.append(contentsOf: messageID) }
        }
        // RFC 3834 §5: so that no vacation notice answers it.
        field("Auto-Submitted", into: &bytes) { $0.append("auto-replied") }
        field("MIME-Version", into: &bytes) { $0.append("1.0") }
        field("Content-Type", into: &bytes) {
            $0.append("multipart/report; report-type=delivery-status;\r\n boundary=\"")
            $0.append(text: "\(boundary)\"")
        }
        if isEightBit || isGlobal {
            field("Content-Transfer-Encoding", into: &bytes) { $0.append("8bit") }
        }
    }

    private func field(
        _ name: String,
        into bytes: inout [UInt8],
        _ value: (inout [UInt8]) -> Void
    ) {
        bytes.append(text: "\(name): ")
        value(&bytes)
        bytes.appendCRLF()
    }

    /// Every language, the reverse-path owner's first.
    private var notificationLanguages: [NotificationLanguage] {
        let first = notification.message.language ?? .french
        return [first] + NotificationLanguage.allCases.filter { $0 != first }
    }

    // MARK: The part for people

    private func writeText(into bytes: inout [UInt8]) {
        let languages = notificationLanguages
        let codes = languages.map(\.rawValue).joined(separator: ", ")
        bytes.append("Content-Type: text/plain; charset=utf-8\r\n")
        bytes.append(text: "Content-Language: \(codes)\r\n")
        bytes.append("Content-Transfer-Encoding: quoted-printable\r\n\r\n")
        let text = languages.map {
            NotificationText(notification, hostName: stamp.hostName, language: $0).body
        }.joined(separator: "\r\n\(String(repeating: "-", count: 64))\r\n\r\n")
        bytes.append(contentsOf: QuotedPrintable.encode(Array(text.utf8)[...]))
    }

    // MARK: The part for programs

    private func writeFields(into bytes: inout [UInt8]) {
        if isGlobal {
            bytes.append("Content-Type: message/global-delivery-status\r\n")
            bytes.append("Content-Transfer-Encoding: 8bit\r\n\r\n")
        } else {
            bytes.append("Content-Type: message/delivery-status\r\n\r\n")
        }
        let message = notification.message
        if let envelopeID = message.envelopeID {
            field("Original-Envelope-Id", into: &bytes) {
                $0.append(text: StatusText.printable(envelopeID, keepingUTF8: isGlobal))
            }
        }
        field("Reporting-MTA", into: &bytes) { $0.append(text: "dns; \(stamp.hostName)") }
        field("Arrival-Date", into: &bytes) { $0.append(text: MailDate.text(message.arrival)) }
        for recipient in notification.recipients {
            bytes.appendCRLF()
            write(recipient, into: &bytes)
        }
    }

    private func write(_ recipient: DeliveryNotification.Recipient, into bytes: inout [UInt8]) {
        if let original = recipient.path.originalRecipient {
            field("Original-Recipient", into: &bytes) {
                $0.append(text: StatusText.typedAddress(original, keepingUTF8: isGlobal))
            }
        }
        field("Final-Recipient", into: &bytes) {
            let mailbox = recipient.path.forwardPath.description
            let type = mailbox.utf8.allSatisfy { $0 < 0x80 } ? "rfc822" : "utf-8"
            $0.append(text: "\(type); \(mailbox)")
        }
        field("Action", into: &bytes) { $0.append(text: notification.action.rawValue) }
        field("Status", into: &bytes) { $0.append(text: statusText(recipient.reply.status)) }
        if recipient.reply.origin == .remote {
            field("Remote-MTA", into: &bytes) {
                let name = StatusText.printable(recipient.reply.nextHop, keepingUTF8: isGlobal)
                $0.append(text: "dns; \(name)")
            }
            field("Diagnostic-Code", into: &bytes) {
                StatusText.appendFolded(
                    "smtp; " + StatusText.printable(recipient.reply.text, keepingUTF8: isGlobal),
                    after: "Diagnostic-Code: ".utf8.count,
                    into: &$0
                )
            }
        }
        field("Last-Attempt-Date", into: &bytes) {
            $0.append(text: MailDate.text(recipient.lastAttempt))
        }
        if notification.action == .delayed, let until = notification.retryUntil {
            field("Will-Retry-Until", into: &bytes) { $0.append(text: MailDate.text(until)) }
        }
    }

    /// The status with the class that the action demands.
    ///
    /// A recipient given up after temporary failures has failed, whatever its last reply said.
    ///
    /// RFC 3464 §2.3.4
    private func statusText(_ status: EnhancedStatus) -> String {
        let classDigit: UInt8 =
            switch notification.action {
            case .failed: 5
            case .delayed: 4
            case .delivered, .relayed: 2
            }
        return EnhancedStatus(classDigit, status.subject, status.detail).description
    }
}

/// A notification ready to be delivered or queued, always from `<>`.
package struct WrittenNotification: Sendable {
    package let bytes: [UInt8]
    package let requirements: TransportRequirements
}
