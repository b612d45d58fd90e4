import Directory
import Mail
import SMTP
import Store

extension Session {
    /// RCPT: adds one forward-path to the open mail transaction, or refuses it at once.
    ///
    /// RFC 5321 §3.3, §4.1.1.3
    mutating func rcpt(_ command: RcptCommand) async {
        let forwardPath: EmailAddress?
        switch command.forwardPath {
        case .address(let address): forwardPath = address
        // Nobody is turned away who writes to the postmaster. RFC 5321 §4.5.1
        case .postmaster:
            forwardPath =
                parts.policy.postmaster
                ?? EmailAddress(localPart: "postmaster", domain: settings.hostName)
        }
        guard let forwardPath else { return conversation.refuse(.noSuchMailbox) }
        switch await destination(of: forwardPath) {
        case .success(let destination):
            transaction?.recipients.append(
                MailTransaction.Recipient(
                    forwardPath: forwardPath,
                    command: command,
                    destination: destination
                )
            )
            conversation.accept(.recipientOK)
        case .failure(let refusal):
            refused(refusal.reply, forwardPath: forwardPath)
            conversation.refuse(refusal.reply)
        }
    }

    private struct Refused: Error {
        let reply: Reply
    }

    private func destination(
        of forwardPath: EmailAddress
    ) async -> Result<MailTransaction.Destination, Refused> {
        do {
            switch try await parts.directory.route(to: forwardPath) {
            case .account(let account, _):
                if try await isFull(account) { return .failure(Refused(reply: .mailboxFull)) }
                return .success(.mailbox(account))
            case .relay:
                switch settings.role {
                case .submission: return .success(.nextHop)
                case .mx, .lmtp: return .failure(Refused(reply: .relayDenied))
                }
            case .unknown:
                return .failure(Refused(reply: .noSuchMailbox))
            }
        } catch let error as DirectoryError {
            return .failure(Refused(reply: Reply(because: error)))
        } catch let error as StoreError {
            return .failure(Refused(reply: Reply(because: error)))
        } catch {
            return .failure(Refused(reply: .localError))
        }
    }

    // Full is: no room for a message of the declared size, or for any at all.
    // RFC 1870 §6.1
    private func isFull(_ account: Account) async throws -> Bool {
        let quota = parts.policy.quota(of: account)
        guard quota != .unlimited else { return false }
        let usage = try await parts.store.usage(of: account.id)
        let size = Int64(transaction?.command.size ?? 1)
        if let bytes = quota.bytes, usage.bytes > bytes - min(size, bytes) { return true }
        if let bytes = quota.bytes, size > bytes { return true }
        if let messages = quota.messages, usage.messages >= messages { return true }
        return false
    }
}
