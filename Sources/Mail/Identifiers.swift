/// An account's key in the database.
package struct AccountID: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
    package static func < (a: AccountID, b: AccountID) -> Bool { a.rawValue < b.rawValue }
}

/// A mailbox's key in the database; survives RENAME, never reused.
///
/// At most 2^31 - 1, because a message's key is `mailbox << 32 | uid`.
package struct MailboxID: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
    package static func < (a: MailboxID, b: MailboxID) -> Bool { a.rawValue < b.rawValue }
}

/// A message's unique identifier within one generation of a mailbox; never zero.
///
/// RFC 9051 §2.3.1.1
package struct UID: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static func < (a: UID, b: UID) -> Bool { a.rawValue < b.rawValue }
}

/// The generation of a mailbox's UIDs; a value is never reused for a name.
///
/// RFC 9051 §2.3.1.1
package struct UIDValidity: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A mod-sequence: grows with every change of a mailbox; a positive signed 63-bit number.
///
/// RFC 7162 §3.1
package struct ModSeq: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
    package static func < (a: ModSeq, b: ModSeq) -> Bool { a.rawValue < b.rawValue }
}
