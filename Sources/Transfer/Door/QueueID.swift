import Wire

/// The name of a mail transaction: 8 characters of time and 5 of chance, letters and digits.
///
/// Names sort by time, so that those of a day stand together in the journal.
enum QueueID {
    static func make(now: Int64, random: [UInt8]) -> String {
        let chance = random.prefix(4).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let time = UInt64(bitPattern: max(now, 0)) & 0xFF_FFFF_FFFF
        return digits(time, count: 8) + digits(chance & 0x1FF_FFFF, count: 5)
    }

    // Without I, L, O and U, which are misread.
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    private static func digits(_ number: UInt64, count: Int) -> String {
        let bytes = (0..<count).reversed().map { alphabet[Int(number >> (5 * UInt64($0)) & 31)] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
