import Directory
import MIME
import Mail
import Queue
import SMTP
import Wire

extension Session {
    /// The trace fields that stand before the message from its first octet on, so that it is not
    /// copied to put them there.
    ///
    /// Return-Path belongs to final delivery, so it is here only when every recipient has a mailbox
    /// of ours. On the submission door the fields depend on the header, and come at the end.
    ///
    /// RFC 5321 §4.4
    func prefix() -> [UInt8] {
        guard let transaction else { return [] }
        switch settings.role {
        case .mx, .lmtp:
            return ReturnPathField.bytes(transaction.command.reversePath)
                + reception(of: transaction).received
        case .submission:
            return []
        }
    }

    func reception(of transaction: MailTransaction) -> Reception {
        Reception(
            hostName: settings.hostName,
            clientName: conversation.clientName ?? "unknown",
            clientLiteral: client.literal,
            protocolWord: Reception.word(
                isLMTP: settings.role.dialect == .lmtp,
                isExtended: conversation.isExtended,
                isSecure: conversation.isSecure,
                isAuthenticated: account != nil,
                usesSMTPUTF8: transaction.command.usesSMTPUTF8
            ),
            tlsVersion: connection.tlsVersion,
            queueID: transaction.queueID,
            time: parts.clock(),
            forwardPath: transaction.recipients.count == 1
                ? transaction.recipients.first?.forwardPath : nil
        )
    }

    /// The end of data: checks, writes, and only then answers.
    ///
    /// RFC 5321 §4.1.1.4, §6.1
    mutating func accept(_ message: ReceivedMessage) async {
        guard let transaction else { return conversation.finish(.localError) }
        let replies = await replies(to: message, in: transaction)
        endTransaction()
        conversation.finish(each: replies)
    }

    private func replies(
        to message: ReceivedMessage,
        in transaction: MailTransaction
    ) async -> [Reply] {
        let acceptance = Acceptance(
            parts: parts,
            settings: settings,
            client: client,
            source: account?.login ?? client.text,
            language: account?.language.flatMap { NotificationLanguage(rawValue: $0) },
            transaction: transaction,
            body: message.body
        )
        let start = message.bytes.count - message.size
        if start < message.bytes.count, message.bytes[start].isBlank {
            return acceptance.refuse(.beginsWithBlank)
        }
        let header = HeaderInspection(message.bytes, from: start)
        guard header.receivedCount <= parts.policy.hops else {
            return acceptance.refuse(.tooManyHops)
        }
        guard case .submission = settings.role else {
            return await acceptance.accept(MessageCopies(mailbox: message.bytes, nextHop: []))
        }
        if let refusal = await refusal(of: message.bytes, header) {
            return acceptance.refuse(refusal)
        }
        return await acceptance.accept(submissionCopies(of: message.bytes, header, transaction))
    }

    // MARK: Submission

    // Every author must be an address of the account. RFC 6409 §6.1
    private func refusal(of bytes: [UInt8], _ header: HeaderInspection) async -> Reply? {
        guard let account, header.hasFrom else { return nil }
        guard let authors = header.authors(in: bytes, from: 0), !authors.isEmpty else {
            return .fromMalformed
        }
        do {
            for author in authors {
                guard try await parts.directory.mayUse(account.id, as: author) else {
                    return .fromNotYours
                }
            }
            return nil
        } catch {
            return Reply(because: error)
        }
    }

    // RFC 6409 §8.2, §8.3
    private func submissionCopies(
        of bytes: [UInt8],
        _ header: HeaderInspection,
        _ transaction: MailTransaction
    ) -> MessageCopies {
        var fields = reception(of: transaction).received
        if !header.hasFrom, case .address(let address) = transaction.command.reversePath {
            fields.append(text: "From: \(address)\r\n")
        }
        if !header.hasDate {
            fields.append(text: "Date: \(MailDate(unixSeconds: parts.clock() / 1000).text)\r\n")
        }
        if !header.hasMessageID {
            let unique = Hex.encode(parts.random(8))
            fields.append(
                text: "Message-ID: <\(transaction.queueID).\(unique)@\(settings.hostName)>\r\n"
            )
        }
        let hasMailboxes = !transaction.accounts.isEmpty
        let hasNextHops = !transaction.queued.isEmpty
        return MessageCopies(
            mailbox: hasMailboxes
                ? ReturnPathField.bytes(transaction.command.reversePath) + fields + bytes : [],
            nextHop: hasNextHops ? fields + bytes : []
        )
    }
}

/// The message as each kind of recipient gets it; empty where there is none of the kind.
struct MessageCopies {
    /// With Return-Path, for mailboxes of ours.
    let mailbox: [UInt8]
    /// Without, for the queue: the host that delivers adds it.
    ///
    /// RFC 5321 §4.4
    let nextHop: [UInt8]
}
