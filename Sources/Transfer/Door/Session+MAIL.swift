import Directory
import Mail
import SMTP

extension Session {
    /// MAIL: opens a mail transaction, on the submission door only for an address of the account.
    ///
    /// RFC 5321 §3.3, §4.1.1.2, RFC 6409 §4.3, §6.1
    mutating func mail(_ command: MailCommand) async {
        transaction = nil
        if let refusal = await refusal(of: command) {
            parts.journal.record(
                .refused(
                    door: settings.role.door,
                    client: client.text,
                    reversePath: command.reversePath,
                    forwardPath: nil,
                    status: refusal.status,
                    reason: refusal.summary
                )
            )
            return conversation.refuse(refusal)
        }
        transaction = MailTransaction(
            queueID: QueueID.make(now: parts.clock(), random: parts.random(4)),
            command: command
        )
        conversation.accept(.reversePathOK)
    }

    private func refusal(of command: MailCommand) async -> Reply? {
        switch settings.role {
        case .mx, .lmtp: return nil
        case .submission:
            guard let account else { return .authenticationNeeded }
            guard case .address(let address) = command.reversePath else { return nil }
            do {
                let isAllowed = try await parts.directory.mayUse(account.id, as: address)
                return isAllowed ? nil : .notYourAddress
            } catch {
                return Reply(because: error)
            }
        }
    }
}
