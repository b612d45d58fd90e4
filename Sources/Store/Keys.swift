import Database
package import Mail

extension AccountID: SQLConvertible {}
extension MailboxID: SQLConvertible {}
extension ModSeq: SQLConvertible {}

/// The key of a message row: `mailbox << 32 | uid`.
enum MessageKey {
    static func make(_ mailbox: MailboxID, _ uid: UInt32) -> Int64 {
        mailbox.rawValue << 32 | Int64(uid)
    }

    static func uid(_ key: Int64) -> UInt32 {
        UInt32(truncatingIfNeeded: key)
    }
}

/// The key of a state chunk: `mailbox << 32 | chunk`.
enum ChunkKey {
    /// Every UID is below 2^32, so a mailbox has at most 2^22 chunks.
    static let last = 1 << 22 - 1

    static func make(_ mailbox: MailboxID, _ chunk: Int) -> Int64 {
        mailbox.rawValue << 32 | Int64(chunk)
    }

    static func chunk(_ key: Int64) -> Int {
        Int(UInt32(truncatingIfNeeded: key))
    }
}

/// A body's key in the database.
package struct BodyID: RawRepresentable, Hashable, Sendable, SQLConvertible {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
}

/// A message's EMAILID: the beginning of the SHA-256 of its content, so that equal content has an
/// equal identifier in every mailbox and after a migration.
///
/// RFC 8474 §5.1
package struct EmailID: Hashable, Sendable {
    package static let length = 16
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// The identifier as an objectid: `E` and 32 hexadecimal digits.
    package var text: String { "E" + hexadecimal(bytes) }
}

/// A message's THREADID: derived from the Message-ID at the root of its References.
///
/// RFC 8474 §5.2
package struct ThreadID: RawRepresentable, Hashable, Sendable, SQLConvertible {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }

    /// The identifier as an objectid: `T` and 16 hexadecimal digits.
    package var text: String {
        let bits = UInt64(bitPattern: rawValue)
        return "T" + hexadecimal((0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * $0)) })
    }
}

extension MailboxID {
    /// The identifier as an objectid, for MAILBOXID: `M` and the number.
    ///
    /// RFC 8474 §4
    package var text: String { "M\(rawValue)" }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
