import Database
import Directory
import Filter
import Journal
import Mail
import Queue
import SMTP
import Store

/// The end of a mail transaction: the message is judged, made ready, and written in one database
/// transaction for all its recipients.
///
/// No positive reply exists before that transaction is durable.
///
/// RFC 5321 §6.1
struct Acceptance: Sendable {
    let parts: DoorParts
    let settings: DoorSettings
    let client: Client
    /// The login or the client address, for operators.
    let source: String
    /// Of the account that sends, for notifications to it.
    let language: NotificationLanguage?
    let transaction: MailTransaction
    let body: BodyType

    /// Refuses the message for every recipient.
    func refuse(_ reply: Reply) -> [Reply] {
        refuse(reply, reason: reply.summary)
    }

    private func refuse(_ reply: Reply, reason: String) -> [Reply] {
        parts.journal.record(
            .refused(
                door: settings.role.door,
                client: client.text,
                reversePath: transaction.command.reversePath,
                forwardPath: nil,
                status: reply.status,
                reason: reason
            )
        )
        return Array(repeating: reply, count: transaction.recipients.count)
    }

    /// Takes responsibility for the message, or not: a reply for each recipient.
    ///
    /// The engines look at the message while it is hashed, taken apart and compressed.
    func accept(_ copies: MessageCopies) async -> [Reply] {
        let preparation: Result<Prepared, any Error>
        if parts.filter.isEmpty {
            preparation = await prepare(copies)
        } else {
            async let judgement = judge(copies)
            preparation = await prepare(copies)
            if let refusal = await judgement { return refuse(refusal) }
        }
        do {
            return try await commit(preparation.get(), copies)
        } catch {
            let failure = AcceptanceFailure(error)
            return refuse(failure.reply, reason: failure.reason)
        }
    }

    // MARK: Judging

    private func judge(_ copies: MessageCopies) async -> Reply? {
        let bytes = copies.mailbox.isEmpty ? copies.nextHop : copies.mailbox
        let verdict = await parts.filter.judge(
            bytes,
            queueID: transaction.queueID,
            client: client.text
        )
        switch verdict {
        case .accept: return nil
        case .reject(let findings):
            let names = findings.map(\.name).joined(separator: ", ")
            return .contentRefused("Message refused: \(names)")
        case .defer(let outages):
            let isTooLarge = outages.contains { $0.failure == .tooLarge }
            return isTooLarge ? .tooLargeToCheck : .contentUnjudged
        }
    }

    // MARK: Preparing

    private struct Prepared: Sendable {
        let mailbox: PreparedMessage?
        let nextHop: PreparedMessage?
        let deposit: NotificationDeposit?
    }

    private func prepare(_ copies: MessageCopies) async -> Result<Prepared, any Error> {
        do {
            let mailbox =
                copies.mailbox.isEmpty ? nil : try await parts.store.prepare(copies.mailbox)
            let nextHop =
                copies.nextHop.isEmpty ? nil : try await parts.store.prepare(copies.nextHop)
            var deposit: NotificationDeposit?
            if let mailbox {
                deposit = try await depositOfSuccess(queuedMessage(mailbox), copies.mailbox)
            }
            return .success(Prepared(mailbox: mailbox, nextHop: nextHop, deposit: deposit))
        } catch {
            return .failure(error)
        }
    }

    /// The message in the queue's words, on the body of `prepared`.
    private func queuedMessage(_ prepared: PreparedMessage) -> QueuedMessage {
        QueuedMessage(
            queueID: transaction.queueID,
            body: QueuedBody(id: prepared.bodyID.rawValue, size: prepared.size),
            reversePath: transaction.command.reversePath,
            envelopeID: transaction.command.envelopeID,
            returnContent: transaction.command.returnContent.map { content in
                switch content {
                case .full: .full
                case .headers: .headers
                }
            },
            arrival: parts.clock(),
            source: source,
            language: language
        )
    }

    // What NOTIFY=SUCCESS asks for when the recipient's mailbox is here. RFC 3461 §5.2.3
    private func depositOfSuccess(
        _ message: QueuedMessage,
        _ bytes: [UInt8]
    ) async throws -> NotificationDeposit? {
        let now = parts.clock()
        let delivered = transaction.recipients.compactMap { recipient in
            guard case .mailbox = recipient.destination,
                recipient.command.notify?.contains(.success) == true
            else { return DeliveryNotification.Recipient?.none }
            return DeliveryNotification.Recipient(
                path: recipient.queued,
                reply: NextHopReply(
                    nextHop: settings.hostName,
                    status: EnhancedStatus(2, 1, 5),
                    text: "delivered to mailbox",
                    origin: .local
                ),
                lastAttempt: now
            )
        }
        guard
            let notification = DeliveryNotification(
                .delivered,
                about: message,
                recipients: delivered
            )
        else { return nil }
        return try await parts.notifications.deposit(notification, returning: bytes)
    }

    // MARK: Writing

    private func commit(_ prepared: Prepared, _ copies: MessageCopies) async throws -> [Reply] {
        let accounts = transaction.accounts
        let queued = transaction.queued
        let targets = accounts.map { target($0, size: prepared.mailbox?.size ?? 0) }
        let onward = prepared.nextHop.map { nextHop in
            var message = queuedMessage(nextHop)
            message.requirements = requirements(copies.nextHop)
            return message
        }
        let parts = parts
        let answersEach = settings.role.dialect == .lmtp

        let outcomes = try await parts.database.write(lane: accounts.first?.id.rawValue ?? 0) {
            transaction in
            var outcomes: [DeliveryOutcome] = []
            if let mailbox = prepared.mailbox {
                outcomes = try parts.store.deliver(mailbox, to: targets, in: transaction)
            }
            // SMTP has one reply for all: all or nothing.
            if !answersEach, outcomes.contains(.overQuota) { throw AcceptanceFailure.filledUp }
            if let nextHop = prepared.nextHop, let onward {
                try parts.store.keepBody(of: nextHop, in: transaction)
                try parts.queue.enqueue(onward, to: queued, in: transaction)
            }
            if !outcomes.contains(.overQuota) { try prepared.deposit?.write(transaction) }
            return outcomes
        }
        return report(accounts: accounts, outcomes: outcomes, copies)
    }

    // A mailbox that is not full takes a message that is larger than its room: what RCPT promised
    // is kept.
    private func target(_ account: Account, size: Int) -> DeliveryTarget {
        var quota = parts.policy.quota(of: account)
        if let bytes = quota.bytes { quota.bytes = bytes + Int64(size) - 1 }
        return DeliveryTarget(
            account: account.id,
            quota: quota,
            language: parts.policy.language(of: account)
        )
    }

    private func requirements(_ bytes: [UInt8]) -> TransportRequirements {
        var requirements: TransportRequirements = []
        if body == .binaryMIME { requirements.insert(.binary) }
        if transaction.command.usesSMTPUTF8 { requirements.insert(.smtpUTF8) }
        if body == .eightBitMIME || bytes.contains(where: { $0 >= 0x80 }) {
            requirements.insert(.eightBit)
        }
        return requirements
    }

    // MARK: Reporting

    private func report(
        accounts: [Account],
        outcomes: [DeliveryOutcome],
        _ copies: MessageCopies
    ) -> [Reply] {
        let journal = parts.journal
        let queueID = transaction.queueID
        journal.record(
            .received(
                queueID: queueID,
                door: settings.role.door,
                reversePath: transaction.command.reversePath,
                recipients: transaction.recipients.count,
                size: max(copies.mailbox.count, copies.nextHop.count),
                client: client.text,
                account: settings.role.door == .submission ? source : nil
            )
        )
        return transaction.recipients.map { recipient in
            guard case .mailbox(let account) = recipient.destination else {
                journal.record(.queued(queueID: queueID, forwardPath: recipient.forwardPath))
                return .accepted(queueID)
            }
            let outcome = zip(accounts, outcomes).first { $0.0.id == account.id }?.1
            switch outcome {
            case .delivered(let message):
                journal.record(
                    .delivered(
                        queueID: queueID,
                        forwardPath: recipient.forwardPath,
                        mailbox: "INBOX",
                        uid: message.uid
                    )
                )
                return .accepted(queueID)
            case .overQuota: return .mailboxFull
            case nil: preconditionFailure("a recipient whose account was not delivered to")
            }
        }
    }
}
