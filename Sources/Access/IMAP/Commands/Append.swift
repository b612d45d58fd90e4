import IMAP
import Mail
import Store
import Wire

extension IMAPSession {
    /// APPEND: all messages of the command, or none.
    ///
    /// RFC 9051 §6.3.12, RFC 3502 §6.3.11, RFC 7889 §3
    mutating func append(_ command: AppendCommand) async throws(Refusal) -> Completion {
        let account = try account()
        var messages: [AppendedMessage] = []
        for message in command.messages {
            guard message.isBinary || message.bytes.firstIndex(ofByte: 0) == nil else {
                throw Refusal(.no, .cannot, "Message holds NUL; send it as literal8")
            }
            guard !message.bytes.isEmpty else {
                throw Refusal(.no, .cannot, "Message is empty")
            }
            let prepared = try await storing { try await door.store.prepare(message.bytes) }
            messages.append(
                AppendedMessage(
                    prepared,
                    flags: Set(message.flags),
                    internalDate: message.internalDate.map { $0 * 1_000 }
                )
            )
        }
        let placed = try await placing { [messages] in
            try await door.store.append(
                messages,
                to: command.mailbox.text,
                in: account.account,
                quota: account.quota,
                by: account.account
            )
        }
        guard let uids = placed.uids else { return Completion(nil, "APPEND completed") }
        return Completion(.appendUID(placed.uidValidity, UIDSet(uids)), "APPEND completed")
    }
}
