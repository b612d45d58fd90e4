/// A message made ready outside any transaction: hashed, taken apart, compressed, and given the
/// number of the body row that its delivery will write.
///
/// Delivering it twice, or again after a retry, writes the body once. A prepared message that is
/// never delivered costs a number, and a large one a blob that the sweep removes.
package struct PreparedMessage: Sendable {
    package let bodyID: BodyID
    /// Bytes of the message as it was given.
    package let size: Int
    package let emailID: EmailID
    package let threadID: ThreadID
    /// Message-ID as written, for the journal; empty when there is none.
    package let messageID: String
    let hash: [UInt8]
    let codec: BodyCodec
    /// Bytes of the stored form, wherever it stands.
    let storedSize: Int
    /// Nil when the bytes stand in `Blobs`.
    let stored: [UInt8]?
    let envelope: [UInt8]
    let structure: [UInt8]
    let preview: [UInt8]
    /// Unix milliseconds.
    let preparedAt: Int64
}

/// How the bytes of a body are kept: `body.codec`, which is `steps | dictionary << 8`.
struct BodyCodec: Hashable, Sendable {
    /// The steps that were taken, in the order of their bits.
    struct Steps: OptionSet, Hashable, Sendable {
        let rawValue: Int64

        /// `Base64Folding`.
        static let folded = Steps(rawValue: 2)
        static let zstd = Steps(rawValue: 1)
    }

    let steps: Steps
    /// The number of a row of `body_dictionary`; 0 when none is used.
    let dictionary: Int64

    var number: Int64 { steps.rawValue | dictionary << 8 }

    init(_ steps: Steps) {
        self.steps = steps
        dictionary = 0
    }

    init?(number: Int64) {
        let steps = Steps(rawValue: number & 0xFF)
        guard steps.subtracting([.folded, .zstd]).isEmpty, number >> 8 == 0 else { return nil }
        self.steps = steps
        dictionary = 0
    }
}
