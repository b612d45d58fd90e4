package import Database
import Blobs
import Mail

/// What a sweep removed.
package struct SweepResult: Hashable, Sendable {
    package var bodies = 0
    package var blobs = 0
}

/// Which bodies a sweep looks at.
package enum OrphanSearch: Sendable {
    /// Those that a purge or the queue has given up since the last sweep.
    case remembered
    /// All; reads the whole table of bodies.
    case everywhere
}

extension Store {
    /// Removes bodies that no message names and that `isHeld` does not claim, and blobs without a
    /// row.
    ///
    /// A body goes only when two sweeps at least `Limits.orphanMilliseconds` apart find it unused:
    /// a message that was prepared to share it may be about to be delivered.
    ///
    /// - Parameter isHeld: whether someone else names a body, as the queue does; asked in the
    ///   transaction that would remove it.
    package func sweepBodies(
        _ search: OrphanSearch = .remembered,
        unless isHeld: @escaping @Sendable (Reader, BodyID) throws -> Bool
    ) async throws(StoreError) -> SweepResult {
        var result = SweepResult()
        if case .everywhere = search { try await markOrphans() }
        let moment = clock() - limits.orphanMilliseconds
        var last: Int64 = 0
        while true {
            let from = last
            let ids = try await read { reader in
                try reader.all(Self.selectOrphans, moment, from) { $0.int(0) }
            }
            guard let highest = ids.last else { break }
            last = highest
            let removed = try await reporting {
                try await self.database.write { [self] transaction in
                    try ids.compactMap { id in
                        try sweep(BodyID(rawValue: id), unless: isHeld, transaction)
                    }
                }
            }
            result.bodies += removed.count
            for body in removed {
                guard let blob = body.blob else { continue }
                try await reporting { try await self.blobs.delete(blob) }
                result.blobs += 1
            }
        }
        result.blobs += try await sweepBlobs(before: moment)
        return result
    }

    /// Says that the queue no longer names `body`; it goes at a later sweep, unless a message or
    /// another queue entry names it.
    package func releaseBody(_ body: BodyID, in transaction: Transaction) throws {
        try transaction.submit(SQL.markOrphan, body, clock())
    }

    private struct SweptBody: Sendable {
        let blob: BlobID?
    }

    /// Removes one body unless it is in use again; nil when it is.
    private func sweep(
        _ id: BodyID,
        unless isHeld: (Reader, BodyID) throws -> Bool,
        _ transaction: Transaction
    ) throws -> SweptBody? {
        try transaction.submit(Self.forgetOrphan, id)
        let isNamed = try transaction.first(Self.isNamed, id) { _ in true } ?? false
        if try isNamed || isHeld(transaction.reader, id) { return nil }
        return try transaction.first(Self.deleteBody, id) { row in
            SweptBody(blob: row.bool(0) ? Self.blobID(id, row.bytes(1)) : nil)
        }
    }

    /// Remembers every body that no message names now.
    private func markOrphans() async throws(StoreError) {
        var last: Int64 = 0
        while true {
            let from = last
            let step = try await read { reader in
                try reader.all(Self.selectUse, from, Self.bodiesPerStep) { row in
                    (id: row.int(0), isOrphan: row.bool(1))
                }
            }
            guard let highest = step.last else { return }
            last = highest.id
            let orphans = step.filter(\.isOrphan).map(\.id)
            if orphans.isEmpty { continue }
            let now = clock()
            try await reporting {
                try await self.database.write { transaction in
                    for id in orphans { try transaction.submit(SQL.markOrphan, id, now) }
                }
            }
        }
    }

    private func sweepBlobs(before moment: Int64) async throws(StoreError) -> Int {
        var removed = 0
        for prefix in UInt8.min...UInt8.max {
            let entries = try await reporting { try await self.blobs.list(prefix: prefix) }
            let old = entries.filter { $0.modified < moment / 1_000 }
            if old.isEmpty { continue }
            let strays = try await read { reader in
                try old.filter { entry in
                    let body = Self.bodyID(of: entry.id)
                    let hash = try reader.first(Self.selectExternal, body) { $0.bytes(0) }
                    return hash.map { Self.blobID(body, $0) } != entry.id
                }
            }
            for stray in strays {
                try await reporting { try await self.blobs.delete(stray.id) }
                removed += 1
            }
        }
        _ = try await reporting {
            try await self.blobs.removeLeftovers(before: moment / 1_000)
        }
        return removed
    }

    private static let bodiesPerStep: Int64 = 2_000

    private static let selectUse: Statement = """
        SELECT id, CASE WHEN EXISTS (SELECT 1 FROM message WHERE message.body_id = body.id)
            THEN 0 ELSE 1 END
        FROM body WHERE id > $1 ORDER BY id LIMIT $2
        """

    private static let selectOrphans: Statement =
        "SELECT id FROM body_orphan WHERE since <= $1 AND id > $2 ORDER BY id LIMIT 256"

    private static let forgetOrphan: Statement = "DELETE FROM body_orphan WHERE id = $1"

    private static let isNamed: Statement = "SELECT 1 FROM message WHERE body_id = $1 LIMIT 1"

    private static let deleteBody: Statement = """
        DELETE FROM body WHERE id = $1
        RETURNING CASE WHEN bytes IS NULL THEN 1 ELSE 0 END, hash
        """

    private static let selectExternal: Statement =
        "SELECT hash FROM body WHERE id = $1 AND bytes IS NULL"
}
