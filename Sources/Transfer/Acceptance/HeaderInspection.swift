import MIME
import Mail
import Wire

/// What the doors look at in the header of a message that came.
struct HeaderInspection {
    private(set) var receivedCount = 0
    private(set) var hasMessageID = false
    private(set) var hasDate = false
    private(set) var hasFrom = false
    /// Where the fields end, with the octets before the message counted in.
    private(set) var end: Int

    /// Looks at the header that begins at `start`.
    init(_ bytes: [UInt8], from start: Int) {
        end = start
        for field in HeaderFields(in: bytes, range: start..<bytes.count) {
            end = field.whole.upperBound
            let name = bytes[field.name]
            switch name.count {
            case 4:
                if name.equalsIgnoringCase("From") {
                    hasFrom = true
                } else if name.equalsIgnoringCase("Date") {
                    hasDate = true
                }
            case 8 where name.equalsIgnoringCase("Received"): receivedCount += 1
            case 10 where name.equalsIgnoringCase("Message-ID"): hasMessageID = true
            default: break
            }
        }
    }

    /// The addresses of the From fields; nil when one is there that cannot be read.
    ///
    /// RFC 5322 §3.6.2
    func authors(in bytes: [UInt8], from start: Int) -> [EmailAddress]? {
        let header = Message(Array(bytes[start..<end]))
        var authors: [EmailAddress] = []
        for item in header.addresses(.from, of: header.root) {
            switch item {
            case .mailbox(let mailbox):
                let address = String(utf8: mailbox.localPart).flatMap { localPart in
                    String(utf8: mailbox.domain).flatMap {
                        EmailAddress(localPart: localPart, domain: $0)
                    }
                }
                guard let address else { return nil }
                authors.append(address)
            case .groupStart, .groupEnd: break
            }
        }
        return authors
    }
}
