import Database
package import Mail

/// One message of an APPEND.
package struct AppendedMessage: Sendable {
    package var message: PreparedMessage
    package var flags: Set<Flag>
    /// Unix milliseconds; nil for now.
    package var internalDate: Int64?

    package init(_ message: PreparedMessage, flags: Set<Flag> = [], internalDate: Int64? = nil) {
        self.message = message
        self.flags = flags
        self.internalDate = internalDate
    }
}

/// Where appended or copied messages are: APPENDUID, COPYUID.
///
/// RFC 9051 §7.1
package struct PlacedMessages: Hashable, Sendable {
    package let mailbox: MailboxID
    package let uidValidity: UIDValidity
    /// UIDs in the mailbox that they came from, ascending; empty after APPEND.
    package let sources: UIDSet
    /// Their UIDs, in the order of the messages or of `sources`; nil when there were none.
    package let uids: ClosedRange<UInt32>?
}

extension Store {
    /// Appends messages, all or none.
    ///
    /// RFC 9051 §6.3.12, RFC 3502 §6.3.11
    package func append(
        _ messages: [AppendedMessage],
        to name: String,
        in account: AccountID,
        quota: QuotaLimit = .unlimited,
        by agent: AccountID
    ) async throws(StoreError) -> PlacedMessages {
        let arrivals = messages.map {
            Arrival(message: $0.message, flags: $0.flags, internalDate: $0.internalDate)
        }
        return try await write(for: account) { [self] transaction in
            let isAccepted = try use(
                quota,
                of: account,
                bytes: arrivals.reduce(0) { $0 + Int64($1.message.size) },
                messages: Int64(arrivals.count),
                in: transaction
            )
            guard isAccepted else { throw StoreError.overQuota(account) }
            guard let mailbox = try advance(account, name, arrivals, in: transaction) else {
                throw StoreError.noSuchMailbox
            }
            for arrival in arrivals { try keepBody(of: arrival.message, in: transaction) }
            try add(arrivals, to: mailbox, in: transaction)
            return PlacedMessages(
                mailbox: mailbox.id,
                uidValidity: mailbox.uidValidity,
                sources: UIDSet(),
                uids: arrivals.isEmpty
                    ? nil : (mailbox.uidNext - UInt32(arrivals.count))...(mailbox.uidNext - 1)
            )
        }
    }
}
