import Glibc
import Synchronization

/// Writes to a file descriptor like `write(2)`: how many bytes, or -1 and `errno`.
package typealias FileWriter = @Sendable (CInt, UnsafeRawBufferPointer) -> Int

/// `write(2)`.
package let writeToFile: FileWriter = { descriptor, bytes in
    write(descriptor, bytes.baseAddress, bytes.count)
}

/// The blocking half of `Blobs`.
final class BlobFolder: Sendable {
    private let root: String
    private let writer: FileWriter
    private let numbers = Atomic<UInt64>(0)

    init(root: String, writer: @escaping FileWriter) {
        self.root = root
        self.writer = writer
    }

    private var temporary: String { "\(root)/tmp" }

    private func folders(of id: BlobID) -> (outer: String, inner: String) {
        let name = id.description
        let outer = "\(root)/\(name.prefix(2))"
        return (outer, "\(outer)/\(name.dropFirst(2).prefix(2))")
    }

    private func path(of id: BlobID) -> String { "\(folders(of: id).inner)/\(id)" }

    func prepare() throws {
        try makeFolder(root)
        try makeFolder(temporary)
        try flushFolder(root)
    }

    // MARK: Writing

    func put(_ blobs: [Blobs.Blob]) throws {
        var changed: Set<String> = []
        for blob in blobs {
            let (outer, inner) = folders(of: blob.id)
            if try makeFolder(outer) { changed.insert(root) }
            if try makeFolder(inner) { changed.insert(outer) }
            // Flushed even when the body is kept: whoever renamed it may not have come so far.
            changed.insert(inner)
            if try size(of: blob.id) == blob.bytes.count {
                touch(path(of: blob.id))
                continue
            }
            try write(blob)
        }
        for folder in changed { try flushFolder(folder) }
    }

    private func write(_ blob: Blobs.Blob) throws {
        let number = numbers.add(1, ordering: .relaxed).newValue
        let draft = "\(temporary)/\(getpid())-\(number)"
        let file = try BlobFile(path: draft, flags: O_WRONLY | O_CREAT | O_EXCL)
        do {
            defer { file.close() }
            try file.write(blob.bytes, with: writer)
            try file.flush()
        } catch {
            unlink(draft)
            throw error
        }
        guard rename(draft, path(of: blob.id)) == 0 else {
            let failure = BlobError(errno: errno, "rename")
            unlink(draft)
            throw failure
        }
    }

    func delete(_ id: BlobID) throws {
        guard unlink(path(of: id)) != 0, errno != ENOENT else { return }
        throw BlobError(errno: errno, "unlink")
    }

    /// True when the folder had to be made.
    @discardableResult
    private func makeFolder(_ path: String) throws -> Bool {
        if mkdir(path, 0o700) == 0 { return true }
        guard errno == EEXIST else { throw BlobError(errno: errno, "mkdir") }
        return false
    }

    private func flushFolder(_ path: String) throws {
        let folder = try BlobFile(path: path, flags: O_RDONLY | O_DIRECTORY)
        defer { folder.close() }
        try folder.flush()
    }

    /// Makes a body that is put again look new, so that a sweep under way leaves it alone.
    private func touch(_ path: String) {
        utimensat(AT_FDCWD, path, nil, 0)
    }

    // MARK: Reading

    func open(_ id: BlobID) throws -> BlobFile {
        do {
            return try BlobFile(path: path(of: id), flags: O_RDONLY)
        } catch BlobFile.Absent.absent {
            throw BlobError.missing(id)
        }
    }

    /// Nil when there is no such body.
    func size(of id: BlobID) throws -> Int? {
        var status = stat()
        guard stat(path(of: id), &status) != 0 else { return Int(status.st_size) }
        guard errno == ENOENT || errno == ENOTDIR else { throw BlobError(errno: errno, "stat") }
        return nil
    }

    func list(prefix: UInt8) throws -> [Blobs.Entry] {
        let digits = Array("0123456789abcdef")
        let outer = "\(root)/\(digits[Int(prefix >> 4)])\(digits[Int(prefix & 15)])"
        var entries: [Blobs.Entry] = []
        for inner in try names(in: outer) where inner.utf8.count == 2 {
            for name in try names(in: "\(outer)/\(inner)") {
                guard let id = BlobID(hexadecimal: name) else { continue }
                var status = stat()
                guard stat("\(outer)/\(inner)/\(name)", &status) == 0 else { continue }
                entries.append(
                    Blobs.Entry(
                        id: id,
                        size: Int(status.st_size),
                        modified: Int64(status.st_mtim.tv_sec)
                    )
                )
            }
        }
        return entries
    }

    func removeLeftovers(before moment: Int64) throws -> Int {
        var removed = 0
        for name in try names(in: temporary) {
            let path = "\(temporary)/\(name)"
            var status = stat()
            guard stat(path, &status) == 0, Int64(status.st_mtim.tv_sec) < moment else { continue }
            if unlink(path) == 0 { removed += 1 }
        }
        return removed
    }

    /// The names in a folder, sorted; none when it is not there.
    private func names(in path: String) throws -> [String] {
        guard let folder = opendir(path) else {
            guard errno == ENOENT else { throw BlobError(errno: errno, "opendir") }
            return []
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
