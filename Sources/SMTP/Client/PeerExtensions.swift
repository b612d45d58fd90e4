import Wire

/// What a server announced in its reply to EHLO or LHLO.
///
/// RFC 5321 §4.1.1.1
package struct PeerExtensions: Equatable, Sendable {
    package private(set) var pipelining = false
    package private(set) var eightBitMIME = false
    package private(set) var smtpUTF8 = false
    package private(set) var dsn = false
    package private(set) var startTLS = false
    package private(set) var chunking = false
    package private(set) var binaryMIME = false
    /// AUTH offers PLAIN.
    package private(set) var authPlain = false
    /// SIZE was announced.
    package private(set) var size = false
    /// Nil when the server named no limit.
    ///
    /// RFC 1870 §4
    package private(set) var maximumSize: Int?

    /// After HELO: nothing.
    init() {}

    init(_ reply: PeerReply) {
        for line in reply.lines.dropFirst() {
            let words = line.split(separator: " ").map { $0.uppercased() }
            switch words.first {
            case "PIPELINING": pipelining = true
            case "8BITMIME": eightBitMIME = true
            case "SMTPUTF8": smtpUTF8 = true
            case "DSN": dsn = true
            case "STARTTLS": startTLS = true
            case "CHUNKING": chunking = true
            case "BINARYMIME": binaryMIME = true
            case "AUTH": authPlain = words.dropFirst().contains("PLAIN")
            case "SIZE":
                size = true
                if words.count > 1, let limit = Int(words[1]), limit > 0 { maximumSize = limit }
            default: break
            }
        }
    }
}
