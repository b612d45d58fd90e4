package import Net

/// Immutable bodies named by their content, in files.
///
/// | path under the root | what |
/// |---|---|
/// | `tmp/<process>-<number>` | a body being written; worthless after a crash |
/// | `ab/cd/abcd…` | a body, named by the 64 digits of its hash; complete and durable |
///
/// A body reaches its name by fsync, rename and fsync of the folder, so a name never shows half a
/// body, and what `put` has returned for survives a power cut. Two writers of one body do no harm.
/// Blocking calls run on `threads`, never on the cooperative pool.
package struct Blobs: Sendable {
    /// One body and its name.
    package struct Blob: Sendable {
        package let id: BlobID
        package let bytes: [UInt8]

        package init(id: BlobID, bytes: [UInt8]) {
            self.id = id
            self.bytes = bytes
        }
    }

    /// What `list` says of a body.
    package struct Entry: Equatable, Sendable {
        package let id: BlobID
        package let size: Int
        /// When it was written or last put again, Unix seconds.
        package let modified: Int64
    }

    /// The longest range that `get` returns at once.
    package static let maximumRange = 1 << 30

    private let folder: BlobFolder
    private let threads: BlockingThreads

    /// Opens the folder at `root`, making it when it is not there.
    ///
    /// - Parameter writer: what writes to a file descriptor; tests put a full disk here.
    package init(
        root: String,
        threads: BlockingThreads = .shared,
        writer: @escaping FileWriter = writeToFile
    ) async throws(BlobError) {
        self.threads = threads
        folder = BlobFolder(root: root, writer: writer)
        try await run { [folder] in try folder.prepare() }
    }

    /// Stores bodies durably; those already there are kept.
    ///
    /// All of them share the flush of the folders they have in common. When it throws, some may be
    /// stored and some not; putting them again is harmless.
    package func put(_ blobs: [Blob]) async throws(BlobError) {
        try await run { [folder] in try folder.put(blobs) }
    }

    /// Stores one body durably.
    package func put(_ id: BlobID, _ bytes: [UInt8]) async throws(BlobError) {
        try await put([Blob(id: id, bytes: bytes)])
    }

    /// The whole body, which must be `size` bytes long.
    package func get(_ id: BlobID, size: Int) async throws(BlobError) -> [UInt8] {
        try await run { [folder] in
            let file = try folder.open(id)
            defer { file.close() }
            guard try file.size() == size else { throw BlobError.corrupt(id) }
            return try file.read(0..<size, of: id)
        }
    }

    /// The bytes of `range`; a body that does not reach so far is corrupt.
    package func get(_ id: BlobID, range: Range<Int>) async throws(BlobError) -> [UInt8] {
        guard range.lowerBound >= 0, range.count <= Self.maximumRange else {
            throw .unavailable(reason: "range \(range)")
        }
        return try await run { [folder] in
            let file = try folder.open(id)
            defer { file.close() }
            return try file.read(range, of: id)
        }
    }

    /// Removes a body; one that is not there is removed already.
    package func delete(_ id: BlobID) async throws(BlobError) {
        try await run { [folder] in try folder.delete(id) }
    }

    package func exists(_ id: BlobID) async throws(BlobError) -> Bool {
        try await run { [folder] in try folder.size(of: id) != nil }
    }

    /// The bodies whose hash begins with the byte `prefix`, in order of their names.
    ///
    /// A sweep walks the 256 prefixes, and leaves alone what was modified a short time ago: its row
    /// may not be committed yet.
    package func list(prefix: UInt8) async throws(BlobError) -> [Entry] {
        try await run { [folder] in try folder.list(prefix: prefix) }
    }

    /// Removes what unfinished writes left behind; returns how many.
    ///
    /// - Parameter moment: leftovers modified before it are removed, in Unix seconds. Other
    ///   processes may be writing, so it lies some minutes back.
    package func removeLeftovers(before moment: Int64) async throws(BlobError) -> Int {
        try await run { [folder] in try folder.removeLeftovers(before: moment) }
    }

    private func run<T: Sendable>(
        _ body: @escaping @Sendable () throws -> T
    ) async throws(BlobError) -> T {
        do {
            return try await threads.run(body)
        } catch let error as BlobError {
            throw error
        } catch {
            throw .unavailable(reason: "\(error)")
        }
    }
}
