package import SMTP

// The replies of the doors. What syntax and order alone decide is in SMTP's own table.

extension Reply {
    // MARK: Yes

    /// RFC 5321 §4.1.1.2.
    static let reversePathOK = Reply(.ok, .otherAddress, "OK")

    /// RFC 5321 §4.1.1.3.
    static let recipientOK = Reply(.ok, .validRecipient, "OK")

    /// The message is durable; `queueID` finds it in the journal.
    ///
    /// RFC 5321 §4.1.1.4, §6.1
    static func accepted(_ queueID: String) -> Reply {
        Reply(.ok, .other, "Accepted as \(queueID)")
    }

    // MARK: Recipients

    /// RFC 5321 §3.3, RFC 3463 §3.2.
    static let noSuchMailbox = Reply(.mailboxUnavailable, .badMailbox, "No such mailbox here")

    /// 552 and not 452: a sender who hears it at once can do something; one who hears it after days
    /// of retries cannot.
    ///
    /// RFC 5321 §4.2.3, RFC 3463 §3.3
    static let mailboxFull = Reply(.storageExceeded, .mailboxFull, "Mailbox is full")

    /// A mailbox filled up between RCPT and the end of data, and SMTP has one reply for all
    /// recipients: the next try hears `mailboxFull` for that one alone.
    ///
    /// RFC 5321 §4.2.3
    static let mailboxFilledUp = Reply(
        .insufficientStorage,
        .mailboxFull,
        "A mailbox has become full, try again"
    )

    /// We carry mail from strangers to our own mailboxes, and nowhere else.
    ///
    /// RFC 5321 §3.6.1, §7.9
    static let relayDenied = Reply(.mailboxUnavailable, .notAuthorized, "Relaying denied")

    // MARK: Who may send

    /// RFC 6409 §4.3.
    static let authenticationNeeded = Reply(
        .authenticationRequired,
        .otherSecurity,
        "Authentication required"
    )

    /// The account may not use the address in MAIL FROM.
    ///
    /// RFC 6409 §6.1
    static let notYourAddress = Reply(
        .mailboxUnavailable,
        .notAuthorized,
        "This address is not yours to send from"
    )

    /// The account may not use an address in the From field.
    ///
    /// RFC 6409 §6.1, RFC 5322 §3.6.2
    static let fromNotYours = Reply(
        .mailboxUnavailable,
        .notAuthorized,
        "The From field names an address that is not yours to send from"
    )

    /// RFC 5322 §3.6.2, RFC 6409 §8.
    static let fromMalformed = Reply(
        .transactionFailed,
        .otherMedia,
        "The From field cannot be read"
    )

    /// Too many failures from this client address.
    ///
    /// RFC 4954 §6
    static let authenticationShutOut = Reply(
        .unavailable,
        .otherSecurity,
        "Too many failed authentications, try later"
    )

    /// RFC 4954 §6: the mechanism does not work for this account, or the identity may not be taken.
    static let identityRefused = Reply(
        .authenticationFailed,
        .credentialsInvalid,
        "Authentication failed"
    )

    /// RFC 4954 §6.
    static let authenticationUnavailable = Reply(
        .temporaryAuthenticationFailure,
        .otherSecurity,
        "Temporary authentication failure"
    )

    // MARK: The message

    /// A first line that begins with a blank would become part of our own last trace field.
    ///
    /// RFC 5322 §2.2.3
    static let beginsWithBlank = Reply(
        .transactionFailed,
        .otherMedia,
        "The message begins with a continuation line"
    )

    /// RFC 5321 §6.3.
    static let tooManyHops = Reply(
        .transactionFailed,
        .routingLoop,
        "Too many hops: mail is going in circles"
    )

    /// A content engine refused the message; the text names what it found.
    ///
    /// RFC 3463 §3.8
    static func contentRefused(_ text: String) -> Reply {
        Reply(.transactionFailed, .notAuthorized, text)
    }

    /// A content engine is down or too slow: nothing passes unseen.
    ///
    /// RFC 5321 §4.2.3, RFC 3463 §3.8
    static let contentUnjudged = Reply(
        .localError,
        .notAuthorized,
        "Content checks are not available, try later"
    )

    /// An engine takes no message of this size, today or tomorrow.
    ///
    /// RFC 1870 §6.2
    static let tooLargeToCheck = Reply(
        .storageExceeded,
        .messageTooBig,
        "Message is too large to be checked for malicious content"
    )

    /// The doors hold as many octets of messages as they may.
    ///
    /// RFC 5321 §4.2.3, RFC 3463 §3.4
    static let outOfMemory = Reply(
        .insufficientStorage,
        .systemFull,
        "Too much mail at this moment, try later"
    )

    /// Nothing the client did; a later try may succeed.
    ///
    /// RFC 5321 §4.2.3
    static let localError = Reply(.localError, .otherMailSystem, "Local error, try later")

    // MARK: The end

    /// RFC 5321 §3.8.
    static let tooSlow = Reply(.unavailable, .badConnection, "Waited too long")

    /// RFC 5321 §3.8.
    static let stopping = Reply(.unavailable, .notAcceptingMessages, "Stopping, try again")

    /// RFC 3207 §4: the upgrade would hide what came before it.
    static let plaintextInjected = Reply(
        .transactionFailed,
        .invalidCommand,
        "Plaintext behind STARTTLS"
    )

    /// RFC 5321 §3.8, §4.3.2.
    package static let tooManyConnections = Reply(
        .unavailable,
        .networkCongested,
        "Too many connections, try later"
    )
}
