package import Mail

/// Somebody or something that owns mailboxes.
package struct Account: Hashable, Sendable {
    package let id: AccountID
    package let login: String
    package let kind: Kind
    package let state: State
    /// Nil is the platform's default.
    package let quotaBytes: Int64?
    /// Nil is the platform's default.
    package let quotaMessages: Int64?
    /// A language tag such as `fr`; nil is the platform's default.
    package let language: String?
    package let displayName: String?

    /// What an account is for.
    package enum Kind: String, CaseIterable, Sendable {
        case person, functional, group, system
    }

    /// What an account may do.
    package enum State: String, CaseIterable, Sendable {
        /// Receives and logs in.
        case active
        /// Receives, but nobody logs in.
        case suspended
        /// Neither receives nor logs in.
        case closed
    }
}

/// An account as the administration sees it.
package struct AccountListing: Hashable, Sendable {
    package let account: Account
    /// The primary address first.
    package let addresses: [EmailAddress]
    package let hasPassword: Bool
}

/// What is needed to make an account.
package struct NewAccount: Sendable {
    package var login: String
    package var address: EmailAddress
    package var kind: Account.Kind = .person
    package var password: String?
    package var quotaBytes: Int64?
    package var quotaMessages: Int64?
    package var language: String?
    package var displayName: String?

    package init(login: String, address: EmailAddress) {
        self.login = login
        self.address = address
    }
}

/// What an address leads to.
package enum Route: Hashable, Sendable {
    /// The mailboxes of an account here; `detail` is what follows `+` in the local part.
    case account(Account, detail: String?)
    /// Another domain: the queue's business, for those who may relay.
    case relay
    /// A domain of ours, and nobody there.
    case unknown
}
