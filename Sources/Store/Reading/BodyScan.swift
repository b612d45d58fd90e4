import Blobs
import Database
package import Mail
import Net

/// The content of one message.
package struct MessageBody: Sendable {
    package let uid: UID
    /// The message as it was given, or its beginning when only that was asked for.
    package fileprivate(set) var bytes: [UInt8]
    /// Size of the whole message.
    package let size: Int
}

/// Reads the bodies of messages batch by batch; no transaction is open between two batches.
///
/// A value: copies go on by themselves, so that one may read ahead while another's batch is sent.
package struct BodyScan: Sendable {
    private let store: Store
    private let mailbox: MailboxID
    private let uids: UIDSet
    private let length: Int
    private var spans: ArraySlice<ClosedRange<UInt32>>

    init(store: Store, mailbox: MailboxID, uids: UIDSet, length: Int) {
        self.store = store
        self.mailbox = mailbox
        self.uids = uids
        self.length = length
        spans = uids.joined(across: 2)[...]
    }

    /// The next bodies in ascending order of UID; nil at the end.
    package mutating func next() async throws(StoreError) -> [MessageBody]? {
        guard let (bodies, rest) = try await batch() else { return nil }
        self = rest
        return bodies
    }

    /// The next bodies in ascending order of UID, and the scan of what is behind them; nil at the
    /// end.
    package func batch() async throws(StoreError) -> (bodies: [MessageBody], rest: BodyScan)? {
        var rest = self
        while !rest.spans.isEmpty {
            let waiting = rest.spans
            let (found, left) = try await store.read { reader in
                try store.fill(from: waiting, of: mailbox, members: uids, length, reader)
            }
            rest.spans = left
            if found.isEmpty { continue }
            let bodies = try await store.complete(found, length: length)
            return (bodies, rest)
        }
        return nil
    }
}

/// A body as its row tells it.
enum FoundBody: Sendable {
    case bytes([UInt8])
    case blob(BlobReference)
}

/// A body that stands in `Blobs`.
struct BlobReference: Sendable {
    let id: BlobID
    let size: Int
    let stored: Int
    let codec: BodyCodec
}

extension Store {
    /// Reads the bodies of `uids`; `length` bytes of each are enough for the caller.
    package func bodies(
        of uids: UIDSet,
        in image: MailboxImage,
        length: Int = .max
    ) -> BodyScan {
        BodyScan(store: self, mailbox: image.id, uids: uids, length: length)
    }

    /// A body by the number that its message row, or the queue, names.
    package func body(_ id: BodyID) async throws(StoreError) -> [UInt8] {
        let found = try await read { [self] reader in
            try reader.first(Self.selectBody, id) { row in
                try body(row, from: 0, length: .max)
            }
        }
        switch found {
        case nil: throw .damaged("body \(id.rawValue) is missing")
        case .bytes(let bytes): return bytes
        case .blob(let blob): return try await bytes(of: blob, length: .max)
        }
    }

    fileprivate typealias Found = (uid: UID, size: Int, body: FoundBody)

    fileprivate func fill(
        from spans: ArraySlice<ClosedRange<UInt32>>,
        of mailbox: MailboxID,
        members: UIDSet,
        _ length: Int,
        _ reader: Reader
    ) throws -> ([Found], ArraySlice<ClosedRange<UInt32>>) {
        var spans = spans
        var found: [Found] = []
        var bytes = 0
        while let span = spans.popFirst() {
            var read = 0
            var last = span.lowerBound
            try reader.query(
                Self.selectBodies,
                MessageKey.make(mailbox, span.lowerBound),
                MessageKey.make(mailbox, span.upperBound),
                Self.bodiesPerQuery
            ) { row in
                guard bytes < limits.batchBytes else { return }
                read += 1
                last = MessageKey.uid(row.int(0))
                guard members.contains(last) else { return }
                let size = Int(row.int(3))
                bytes += min(size, length)
                found.append(
                    (UID(rawValue: last), size, try body(row, from: 1, length: length))
                )
            }
            let isFull = bytes >= limits.batchBytes
            if (isFull || read == Self.bodiesPerQuery) && last < span.upperBound {
                spans = [(last + 1)...span.upperBound] + spans
            }
            if isFull { break }
        }
        return (found, spans)
    }

    /// Decodes id, hash, size, codec, stored, bytes from column `first` on.
    private func body(
        _ row: borrowing Row,
        from first: Int,
        length: Int
    ) throws(StoreError) -> FoundBody {
        let id = BodyID(rawValue: row.int(first))
        let size = Int(row.int(first + 2))
        guard let codec = BodyCodec(number: row.int(first + 3)) else {
            throw .damaged("body \(id.rawValue) has an unknown codec")
        }
        guard !row.isNull(first + 5) else {
            guard let blob = Self.blobID(id, row.bytes(first + 1)) else {
                throw .damaged("body \(id.rawValue) has no hash")
            }
            let stored = Int(row.int(first + 4))
            return .blob(BlobReference(id: blob, size: size, stored: stored, codec: codec))
        }
        let bytes = row.withBytes(first + 5) { stored in
            decode(stored, codec, size: size, length: length)
        }
        guard let bytes else { throw .damaged("body \(id.rawValue) does not decompress") }
        return .bytes(bytes)
    }

    /// The bodies as bytes; those that stand in `Blobs` are read and decoded side by side.
    fileprivate func complete(
        _ found: [Found],
        length: Int
    ) async throws(StoreError) -> [MessageBody] {
        try await reporting {
            try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
                var bodies: [MessageBody] = []
                bodies.reserveCapacity(found.count)
                for (index, (uid, size, body)) in found.enumerated() {
                    var known: [UInt8] = []
                    switch body {
                    case .bytes(let bytes): known = bytes
                    case .blob(let blob):
                        group.addTask { (index, try await self.bytes(of: blob, length: length)) }
                    }
                    bodies.append(MessageBody(uid: uid, bytes: known, size: size))
                }
                for try await (index, bytes) in group {
                    bodies[index].bytes = bytes
                }
                return bodies
            }
        }
    }

    func decode(
        _ stored: UnsafeRawBufferPointer,
        _ codec: BodyCodec,
        size: Int,
        length: Int
    ) -> [UInt8]? {
        let wanted = min(size, length)
        guard codec.steps.contains(.folded) else {
            guard codec.steps.contains(.zstd) else {
                return stored.count == size ? Array(stored.prefix(wanted)) : nil
            }
            return compressor.decompress(stored, size: size, length: wanted)
        }
        guard codec.steps.contains(.zstd) else {
            return Base64Folding.unfold(stored, size: size, length: wanted)
        }
        // The folded form is never longer than the message, so its beginning, with room for its
        // table, yields the beginning of the message.
        let room = wanted == size ? size : min(size, wanted + Self.foldingTable)
        guard let folded = compressor.decompress(stored, upTo: size, length: room) else {
            return nil
        }
        let message = folded.withUnsafeBytes {
            Base64Folding.unfold($0, size: size, length: wanted)
        }
        if message != nil || room == size { return message }
        return decode(stored, codec, size: size, length: size).map { Array($0.prefix(wanted)) }
    }

    /// Bytes that the table of a folded message rarely exceeds.
    private static let foldingTable = 1_024

    fileprivate func bytes(
        of blob: BlobReference,
        length: Int
    ) async throws(StoreError) -> [UInt8] {
        let stored: [UInt8]
        do {
            stored = try await blobs.get(blob.id, size: blob.stored)
        } catch {
            switch error {
            case .missing, .corrupt: throw .damaged("blob \(blob.id) is missing or cut short")
            case .unavailable(let reason): throw .unavailable(reason)
            }
        }
        let decoded = try await reporting { [self] in
            try await BlockingThreads.shared.run { [self] in
                stored.withUnsafeBytes {
                    decode($0, blob.codec, size: blob.size, length: length)
                }
            }
        }
        guard let decoded else { throw .damaged("blob \(blob.id) does not decompress") }
        return decoded
    }

    private static let bodiesPerQuery = 64

    private static let selectBodies: Statement = """
        SELECT message.id, body.id, body.hash, body.size, body.codec, body.stored,
            body.bytes
        FROM message JOIN body ON body.id = message.body_id
        WHERE message.id BETWEEN $1 AND $2 ORDER BY message.id LIMIT $3
        """

    private static let selectBody: Statement =
        "SELECT id, hash, size, codec, stored, bytes FROM body WHERE id = $1"
}
