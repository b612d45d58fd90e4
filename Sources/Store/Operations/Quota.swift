import Database
package import Mail

/// How much an account may keep; nil is no limit.
///
/// RFC 9208 §5.1, §5.2
package struct QuotaLimit: Hashable, Sendable {
    package var bytes: Int64?
    package var messages: Int64?

    package init(bytes: Int64? = nil, messages: Int64? = nil) {
        self.bytes = bytes
        self.messages = messages
    }

    package static let unlimited = QuotaLimit()
}

/// What an account keeps: messages that are not expunged, each with its full size however many
/// mailboxes share its body.
package struct QuotaUsage: Hashable, Sendable {
    package let bytes: Int64
    package let messages: Int64

    package init(bytes: Int64, messages: Int64) {
        self.bytes = bytes
        self.messages = messages
    }
}

extension Store {
    /// What `account` keeps; zero for an account without mailboxes.
    package func usage(of account: AccountID) async throws(StoreError) -> QuotaUsage {
        let usage = try await read { reader in
            try reader.first(Self.selectUsage, account) { row in
                QuotaUsage(bytes: row.int(0), messages: row.int(1))
            }
        }
        return usage ?? QuotaUsage(bytes: 0, messages: 0)
    }

    private static let selectUsage: Statement =
        "SELECT used_bytes, used_messages FROM store_account WHERE id = $1"
}
