import Directory
import Mail
import Queue
import SMTP

/// An open mail transaction as the door sees it: the envelope, with what each recipient leads to.
///
/// RFC 5321 §3.3
struct MailTransaction: Sendable {
    let queueID: String
    let command: MailCommand
    var recipients: [Recipient] = []

    struct Recipient: Sendable {
        let forwardPath: EmailAddress
        let command: RcptCommand
        let destination: Destination
    }

    enum Destination: Sendable {
        case mailbox(Account)
        case nextHop
    }

    /// The accounts that get the message, each once, in the order of their identifiers: two
    /// transactions that lock the same accounts never wait for each other in a circle.
    var accounts: [Account] {
        var seen: [Account] = []
        for recipient in recipients {
            guard case .mailbox(let account) = recipient.destination,
                !seen.contains(where: { $0.id == account.id })
            else { continue }
            seen.append(account)
        }
        return seen.sorted { $0.id < $1.id }
    }

    /// The recipients that the queue takes on.
    var queued: [QueuedRecipient] {
        recipients.compactMap { recipient in
            guard case .nextHop = recipient.destination else { return nil }
            return recipient.queued
        }
    }
}

extension MailTransaction.Recipient {
    /// The recipient in the queue's words.
    var queued: QueuedRecipient {
        QueuedRecipient(
            forwardPath: forwardPath,
            originalRecipient: command.originalRecipient,
            notify: command.notify.map { NotifyConditions(rawValue: $0.rawValue) }
        )
    }
}
