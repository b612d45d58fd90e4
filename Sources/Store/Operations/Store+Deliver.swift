package import Database
package import Mail

/// Where a prepared message goes.
package struct DeliveryTarget: Sendable {
    package var account: AccountID
    /// Nil for INBOX.
    ///
    /// A mailbox that does not exist means INBOX: mail is not lost to a renamed
    /// folder.
    package var mailbox: String?
    package var flags: Set<Flag>
    /// Unix milliseconds; nil for now.
    package var internalDate: Int64?
    package var quota: QuotaLimit
    /// How the mailboxes are called that come to life with an account.
    package var language: MailboxLanguage

    package init(
        account: AccountID,
        mailbox: String? = nil,
        flags: Set<Flag> = [],
        internalDate: Int64? = nil,
        quota: QuotaLimit = .unlimited,
        language: MailboxLanguage = .english
    ) {
        self.account = account
        self.mailbox = mailbox
        self.flags = flags
        self.internalDate = internalDate
        self.quota = quota
        self.language = language
    }
}

/// What came of one target; in the order of the targets.
package enum DeliveryOutcome: Hashable, Sendable {
    case delivered(DeliveredMessage)
    /// Nothing was written for this target; the others are not touched.
    case overQuota
}

/// Where a message is now.
package struct DeliveredMessage: Hashable, Sendable {
    package let mailbox: MailboxID
    package let uidValidity: UIDValidity
    package let uid: UID
    package let modSeq: ModSeq
}

extension Store {
    /// Writes `message` into the mailbox of each target, in the caller's transaction: all
    /// recipients share one body.
    ///
    /// Trace header fields that differ between recipients would make the bodies differ too, so a
    /// door adds the same to all recipients of a mail transaction.
    package func deliver(
        _ message: PreparedMessage,
        to targets: [DeliveryTarget],
        in transaction: Transaction
    ) throws -> [DeliveryOutcome] {
        var outcomes: [DeliveryOutcome] = []
        var hasBody = false
        for target in targets {
            let isAccepted = try use(
                target.quota,
                of: target.account,
                bytes: Int64(message.size),
                messages: 1,
                in: transaction
            )
            guard isAccepted else {
                outcomes.append(.overQuota)
                continue
            }
            if !hasBody {
                try keepBody(of: message, in: transaction)
                hasBody = true
            }
            let arrival = Arrival(
                message: message,
                flags: target.flags,
                internalDate: target.internalDate
            )
            let mailbox = try advance(for: target, arrival, in: transaction)
            try add([arrival], to: mailbox, in: transaction)
            outcomes.append(
                .delivered(
                    DeliveredMessage(
                        mailbox: mailbox.id,
                        uidValidity: mailbox.uidValidity,
                        uid: UID(rawValue: mailbox.uidNext - 1),
                        modSeq: mailbox.modSeq
                    )
                )
            )
        }
        return outcomes
    }

    private func advance(
        for target: DeliveryTarget,
        _ arrival: Arrival,
        in transaction: Transaction
    ) throws -> LockedMailbox {
        if let name = target.mailbox,
            let mailbox = try advance(target.account, name, [arrival], in: transaction)
        {
            return mailbox
        }
        if let mailbox = try advance(target.account, Self.inbox, [arrival], in: transaction) {
            return mailbox
        }
        try createAccount(target.account, language: target.language, in: transaction)
        guard let mailbox = try advance(target.account, Self.inbox, [arrival], in: transaction)
        else { throw StoreError.noSuchMailbox }
        return mailbox
    }
}

/// A message on its way into a mailbox.
struct Arrival: Sendable {
    let message: PreparedMessage
    var flags: Set<Flag> = []
    var internalDate: Int64?
}

extension Store {
    /// Takes UIDs for `arrivals`; nil when there is no such mailbox.
    func advance(
        _ account: AccountID,
        _ name: String,
        _ arrivals: [Arrival],
        in transaction: Transaction
    ) throws -> LockedMailbox? {
        try transaction.first(
            SQL.advanceNamedMailbox,
            account,
            name,
            arrivals.count,
            arrivals.count { !$0.flags.contains(.seen) },
            arrivals.count { $0.flags.contains(.deleted) },
            arrivals.reduce(0) { $0 + $1.message.size }
        ) { row in try LockedMailbox(row) }
    }

    /// Writes the rows of `arrivals`, whose UIDs are the last ones below UIDNEXT.
    func add(
        _ arrivals: [Arrival],
        to mailbox: LockedMailbox,
        in transaction: Transaction
    ) throws {
        let now = clock()
        let first = mailbox.uidNext - UInt32(arrivals.count)
        for (index, arrival) in arrivals.enumerated() {
            try transaction.submit(
                SQL.insertMessage,
                MessageKey.make(mailbox.id, first + UInt32(index)),
                mailbox.modSeq,
                arrival.internalDate ?? now,
                now,
                arrival.message.size,
                arrival.message.bodyID,
                arrival.message.emailID.bytes,
                arrival.message.threadID,
                arrival.message.envelope,
                arrival.message.structure,
                arrival.message.preview
            )
        }
        var editor = StateEditor(mailbox, in: transaction)
        if arrivals.contains(where: { !$0.flags.isEmpty }) {
            let lowest = MailboxSnapshot.place(first).chunk
            let highest = MailboxSnapshot.place(mailbox.uidNext - 1).chunk
            try editor.load(lowest...highest)
            for (index, arrival) in arrivals.enumerated() where !arrival.flags.isEmpty {
                try editor.setArrivalFlags(arrival.flags, of: first + UInt32(index))
            }
        }
        announce(try editor.save(), in: transaction)
    }

    /// Counts what is added against the limit; false, and nothing counted, when it does not fit.
    func use(
        _ limit: QuotaLimit,
        of account: AccountID,
        bytes: Int64,
        messages: Int64,
        in transaction: Transaction
    ) throws -> Bool {
        let values: [any SQLConvertible] = [
            account, bytes, messages, limit.bytes ?? .max, limit.messages ?? .max,
        ]
        let bound = values.map(\.sqlValue)
        if try transaction.execute(SQL.useQuota, values: bound) == 1 { return true }
        let isKnown = try transaction.first(Self.accountExists, account) { _ in true }
        guard isKnown == nil else { return false }
        try transaction.execute(Self.insertAccount, account, clock())
        return try transaction.execute(SQL.useQuota, values: bound) == 1
    }

    static let accountExists: Statement = "SELECT 1 FROM store_account WHERE id = $1"

    static let insertAccount: Statement = """
        INSERT INTO store_account (id, used_bytes, used_messages, created)
        VALUES ($1, 0, 0, $2) ON CONFLICT (id) DO NOTHING
        """
}

extension StateEditor {
    /// Sets the flags that a message arrives with; its mod-sequence stays that of its arrival.
    mutating func setArrivalFlags(_ flags: Set<Flag>, of uid: UInt32) throws {
        let (number, slot) = MailboxSnapshot.place(uid)
        var state = chunk(number)
        for flag in flags {
            state.insert(SlotSet(slot..<(slot + 1)), into: try column(of: flag))
        }
        state.highestModSeq = mailbox.modSeq.rawValue
        replace(number, with: state)
    }
}
