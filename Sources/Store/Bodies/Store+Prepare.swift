import Blobs
import Crypto
package import Database
import Net

extension Store {
    /// Makes `message` ready for `deliver` or `append`; nothing of it is visible yet.
    ///
    /// Give all recipients of a mail transaction the same bytes, so that they share one body.
    package func prepare(_ message: [UInt8]) async throws(StoreError) -> PreparedMessage {
        let preparedAt = clock()
        let compressor = compressor
        let limits = limits
        let work =
            if message.count <= limits.preparedInPlaceBytes {
                Work(message, limits, compressor)
            } else {
                try await reporting {
                    try await BlockingThreads.shared.run { Work(message, limits, compressor) }
                }
            }
        let id = try await bodyID(for: work)
        let isLarge = work.stored.count > limits.inlineBytes
        if isLarge {
            // Before the row that names it; put again even when the row is there already, because
            // a sweep may be about to remove it.
            guard let blob = Self.blobID(id, work.hash) else { throw .failed("hash length") }
            try await reporting { try await self.blobs.put(blob, work.stored) }
        }
        return PreparedMessage(
            bodyID: id,
            size: message.count,
            emailID: EmailID(bytes: Array(work.hash.prefix(EmailID.length))),
            threadID: work.summary.threadID,
            messageID: work.summary.messageID,
            hash: work.hash,
            codec: work.codec,
            storedSize: work.stored.count,
            stored: isLarge ? nil : work.stored,
            envelope: work.summary.envelope,
            structure: work.summary.structure,
            preview: work.summary.preview,
            preparedAt: preparedAt
        )
    }

    /// Writes the body of `message` in the caller's transaction, unless it is there.
    ///
    /// `deliver` and `append` do this themselves; the queue needs it for a message that no mailbox
    /// of ours receives.
    package func keepBody(of message: PreparedMessage, in transaction: Transaction) throws {
        // A body that it was to share, or its blob, may have been swept since.
        guard clock() - message.preparedAt < limits.preparedMilliseconds else {
            throw StoreError.unavailable("a message was delivered long after it was prepared")
        }
        try transaction.submit(
            SQL.insertBody,
            message.bodyID,
            message.hash,
            message.size,
            message.codec.number,
            message.storedSize,
            message.stored
        )
    }

    /// The name of a large body in `Blobs`: the beginning of its hash and the number of its row.
    ///
    /// No two rows share a blob, so a row and its blob go together, and a sweep can tell from the
    /// name which row to ask for.
    static func blobID(_ id: BodyID, _ hash: [UInt8]) -> BlobID? {
        BlobID(
            bytes: hash.prefix(24)
                + (0..<8).map { UInt8(truncatingIfNeeded: id.rawValue >> (56 - 8 * $0)) }
        )
    }

    static func bodyID(of blob: BlobID) -> BodyID {
        BodyID(rawValue: blob.bytes.suffix(8).reduce(0) { $0 << 8 | Int64($1) })
    }

    /// The row of an equal message where sharing pays, else a new number.
    ///
    /// Equal in its stored form too: another version may have kept it differently, and a blob must
    /// never change under its row.
    private func bodyID(for work: Work) async throws(StoreError) -> BodyID {
        if work.size >= limits.sharedBodyBytes {
            let known = try await read { reader in
                try reader.first(
                    SQL.bodyWithHash,
                    work.hash,
                    work.size,
                    work.codec.number,
                    work.stored.count
                ) { $0.int(0) }
            }
            if let known { return BodyID(rawValue: known) }
        }
        return try await newBodyID()
    }

    private func newBodyID() async throws(StoreError) -> BodyID {
        if let number = bodyNumbers.withLock({ $0.popFirst() }) {
            return BodyID(rawValue: number)
        }
        let last = try await reporting {
            try await self.database.write { transaction in
                try transaction.first(SQL.advanceSequence, "body", Self.bodyBlock) { $0.int(0) }
            }
        }
        guard let last else { throw .failed("the body sequence is missing") }
        // A block that another task fetched meanwhile is dropped: numbers may have gaps.
        bodyNumbers.withLock { $0 = (last - Self.bodyBlock + 2)..<(last + 1) }
        return BodyID(rawValue: last - Self.bodyBlock + 1)
    }

    /// Body numbers taken from the database at a time.
    private static let bodyBlock: Int64 = 1_024
}

/// What takes processor time about a message.
private struct Work: Sendable {
    let size: Int
    let hash: [UInt8]
    let summary: Summary
    let stored: [UInt8]
    let codec: BodyCodec

    init(_ message: [UInt8], _ limits: Store.Limits, _ compressor: Compressor) {
        size = message.count
        hash = message.withUnsafeBytes { bytes in
            var function = SHA256()
            function.update(bufferPointer: bytes)
            return Array(function.finalize())
        }
        summary = Summary(message, hash: hash)
        var steps: BodyCodec.Steps = []
        var kept = message
        var joints: [Int] = []
        // Kept only when it gives the message back: these bytes are all that remains of it.
        if message.count <= limits.foldedBytes, let folded = Base64Folding.fold(message),
            folded.unfolds(to: message)
        {
            kept = folded.bytes
            joints = folded.joints
            steps.insert(.folded)
        }
        if let compressed = compressor.compress(kept, joints: joints) {
            kept = compressed
            steps.insert(.zstd)
        }
        stored = kept
        codec = BodyCodec(steps)
    }
}

extension Base64Folding.Folded {
    fileprivate func unfolds(to message: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { Base64Folding.unfold($0, size: message.count) } == message
    }
}
