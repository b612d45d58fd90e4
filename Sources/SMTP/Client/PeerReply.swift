package import Mail
import Wire

/// A reply that a server gave us.
///
/// RFC 5321 §4.2, RFC 2034 §4
package struct PeerReply: Equatable, Sendable {
    /// 200 to 599.
    package let code: UInt16
    /// The text of each line, without code and hyphen; bytes that are not UTF-8 replaced.
    package let lines: [String]

    package init(code: UInt16, lines: [String]) {
        self.code = code
        self.lines = lines
    }

    /// 2, 3, 4 or 5.
    package var classDigit: UInt8 { UInt8(truncatingIfNeeded: code / 100) }

    /// The enhanced status the server gave, or the most general one of the reply's class.
    ///
    /// One of another class than the code's is a mistake of the server, and the code decides.
    ///
    /// RFC 2034 §4, RFC 3463 §2
    package var status: EnhancedStatus {
        let general = EnhancedStatus(classDigit == 3 ? 4 : classDigit, 0, 0)
        guard let word = lines.first?.split(separator: " ").first else { return general }
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "\(classDigit)", parts[1].utf8.count <= 3,
            parts[2].utf8.count <= 3, let subject = UInt16(parts[1]), let detail = UInt16(parts[2])
        else { return general }
        return EnhancedStatus(classDigit, subject, detail)
    }

    /// The reply on one line with its code, for DSNs and the journal; at most 1,000 characters.
    package var text: String {
        String("\(code) \(lines.joined(separator: " "))".prefix(1_000))
    }

    /// The server says that it ends the connection.
    ///
    /// RFC 5321 §3.8
    package var isShutdown: Bool { code == 421 }
}

/// Cuts replies out of the bytes that a server sends.
///
///     Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
///
/// A line may end in LF alone, as some servers do. What is not a reply, or has no end, is an error
/// and not a wait: a hostile server gets neither memory nor time.
///
/// RFC 5321 §4.2
struct PeerReplyReader: Sendable {
    struct Malformed: Error {}

    /// Octets of one line; twice what the standard allows, since nothing hangs on it.
    static let maximumLine = 1_024
    static let maximumLines = 128

    private var bytes: [UInt8] = []
    private var start = 0
    private var code: UInt16?
    private var lines: [String] = []

    /// True when bytes are held that no reply was made of yet.
    var holdsBytes: Bool { start < bytes.count || code != nil }

    mutating func append(_ more: [UInt8]) {
        if start == bytes.count {
            bytes = more
        } else {
            bytes.removeFirst(start)
            bytes += more
        }
        start = 0
    }

    /// The next whole reply, or nil when more bytes are needed.
    mutating func next() throws(Malformed) -> PeerReply? {
        while true {
            guard let lineFeed = bytes.firstIndex(ofByte: .lf, from: start) else {
                if bytes.count - start > Self.maximumLine { throw Malformed() }
                return nil
            }
            guard lineFeed - start <= Self.maximumLine, lines.count < Self.maximumLines else {
                throw Malformed()
            }
            var line = bytes[start..<lineFeed]
            start = lineFeed + 1
            if line.last == .cr { line = line.dropLast() }
            if let reply = try take(line) { return reply }
        }
    }

    private mutating func take(_ line: ArraySlice<UInt8>) throws(Malformed) -> PeerReply? {
        var cursor = Cursor(line)
        guard let digits = cursor.take(count: 3), digits.allSatisfy(\.isDigit) else {
            throw Malformed()
        }
        let number = digits.reduce(UInt16(0)) { $0 * 10 + UInt16($1 & 0xF) }
        guard (200...599).contains(number), code == nil || code == number else {
            throw Malformed()
        }
        let separator = cursor.next()
        guard separator == nil || separator == .space || separator == 0x2D else {
            throw Malformed()
        }
        lines.append(Self.printable(cursor.rest))
        code = number
        guard separator != 0x2D else { return nil }
        defer {
            code = nil
            lines = []
        }
        return PeerReply(code: number, lines: lines)
    }

    private static func printable(_ text: ArraySlice<UInt8>) -> String {
        String(lossyUTF8: text.map { $0.isControl ? .space : $0 })
    }
}
