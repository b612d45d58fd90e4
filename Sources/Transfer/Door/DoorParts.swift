package import Database
package import Directory
package import Filter
package import Journal
package import Mail
package import Queue
package import Store

/// The services that the doors stand on, shared by all sessions of a node.
package struct DoorParts: Sendable {
    package var database: Database
    package var directory: Directory
    package var store: Store
    package var queue: Queue
    package var filter: Filter
    package var journal: Journal
    package var budget: BodyBudget
    package var throttle: AuthenticationThrottle
    /// Carries notifications of delivery back to the reverse-path.
    package var notifications: NotificationRouter
    package var policy: DeliveryPolicy
    /// Unix milliseconds.
    package var clock: @Sendable () -> Int64
    /// That many unpredictable bytes.
    package var random: @Sendable (Int) -> [UInt8]

    package init(
        database: Database,
        directory: Directory,
        store: Store,
        queue: Queue,
        filter: Filter,
        journal: Journal,
        budget: BodyBudget,
        throttle: AuthenticationThrottle,
        notifications: NotificationRouter,
        policy: DeliveryPolicy,
        clock: @escaping @Sendable () -> Int64,
        random: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.database = database
        self.directory = directory
        self.store = store
        self.queue = queue
        self.filter = filter
        self.journal = journal
        self.budget = budget
        self.throttle = throttle
        self.notifications = notifications
        self.policy = policy
        self.clock = clock
        self.random = random
    }
}

/// What holds for every mailbox that has nothing of its own.
package struct DeliveryPolicy: Sendable {
    /// The limit of accounts without one.
    package var quota: QuotaLimit
    /// The language of the mailboxes that come to life with an account.
    package var language: MailboxLanguage
    /// Receives mail for `<Postmaster>`.
    ///
    /// RFC 5321 §4.5.1
    package var postmaster: EmailAddress?
    /// Received fields above which a message is going in circles.
    ///
    /// RFC 5321 §6.3
    package var hops: Int

    package init(
        quota: QuotaLimit = .unlimited,
        language: MailboxLanguage = .french,
        postmaster: EmailAddress? = nil,
        hops: Int = 50
    ) {
        self.quota = quota
        self.language = language
        self.postmaster = postmaster
        self.hops = hops
    }

    /// How much `account` may keep.
    func quota(of account: Account) -> QuotaLimit {
        QuotaLimit(
            bytes: account.quotaBytes ?? quota.bytes,
            messages: account.quotaMessages ?? quota.messages
        )
    }

    func language(of account: Account) -> MailboxLanguage {
        account.language.flatMap { MailboxLanguage(rawValue: $0) } ?? language
    }
}
