import Crypto
import MIME

/// What a message row keeps beside the body, from one pass over the message.
struct Summary: Sendable {
    let envelope: [UInt8]
    let structure: [UInt8]
    let preview: [UInt8]
    let messageID: String
    let threadID: ThreadID

    init(_ message: [UInt8], hash: [UInt8]) {
        let summary = DeliverySummary(of: message)
        envelope = summary.envelope
        structure = summary.bodyStructure
        preview = Array(summary.preview.utf8)
        messageID = summary.messageID ?? ""
        // The oldest reference is the root of the thread, and a message without references is a
        // root itself: no table of Message-IDs has to be asked or written.
        if let root = summary.references.first ?? summary.messageID {
            threadID = ThreadID(hashing: Array(root.utf8))
        } else {
            threadID = ThreadID(beginningOf: hash)
        }
    }
}

extension ThreadID {
    fileprivate init(hashing root: [UInt8]) {
        self.init(beginningOf: Array(SHA256.hash(data: root)))
    }

    fileprivate init(beginningOf hash: [UInt8]) {
        let bits = hash.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        self.init(rawValue: Int64(bitPattern: bits))
    }
}
