import Wire

/// A LIST pattern: `*` is anything, `%` anything within a level.
///
/// Time is the product of both lengths, whatever the wildcards.
///
/// RFC 9051 §6.3.9
struct MailboxPattern {
    private let pattern: [UInt8]
    /// The same with capitals, for INBOX, whose case does not matter.
    private let capitals: [UInt8]

    init(reference: String, pattern: String) {
        self.pattern = Array((reference + pattern).utf8)
        capitals = self.pattern.map(\.uppercased)
    }

    func matches(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        if name == "INBOX" { return Self.matches(bytes, capitals) }
        return Self.matches(bytes, pattern)
            || name.hasPrefix("INBOX/") && Self.matches(bytes, withCapitalInbox)
    }

    private var withCapitalInbox: [UInt8] {
        pattern.count > 5 ? Array(capitals.prefix(5) + pattern.dropFirst(5)) : pattern
    }

    private static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
        // reachable[i]: the pattern read so far can match the first i bytes of the name.
        var reachable = [Bool](repeating: false, count: name.count + 1)
        reachable[0] = true
        for element in pattern {
            if element == 0x2A || element == 0x25 {
                for i in 0..<name.count
                where reachable[i] && (element == 0x2A || name[i] != 0x2F) {
                    reachable[i + 1] = true
                }
                continue
            }
            var i = name.count
            while i > 0 {
                reachable[i] = reachable[i - 1] && name[i - 1] == element
                i -= 1
            }
            reachable[0] = false
        }
        return reachable[name.count]
    }
}
