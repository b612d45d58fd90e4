import Glibc

/// An open file; whoever opens it closes it.
struct BlobFile {
    enum Absent: Error { case absent }

    private let descriptor: CInt

    /// Throws `Absent.absent` when there is no such file.
    init(path: String, flags: CInt) throws {
        descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor < 0 else { return }
        if errno == ENOENT, flags & O_CREAT == 0 { throw Absent.absent }
        throw BlobError(errno: errno, "open")
    }

    func close() {
        Glibc.close(descriptor)
    }

    func size() throws -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw BlobError(errno: errno, "fstat") }
        return Int(status.st_size)
    }

    func write(_ bytes: [UInt8], with writer: FileWriter) throws {
        try bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = writer(descriptor, UnsafeRawBufferPointer(rebasing: rest))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw BlobError(errno: errno, "write") }
                rest = rest.dropFirst(count)
            }
        }
    }

    func flush() throws {
        guard fsync(descriptor) == 0 else { throw BlobError(errno: errno, "fsync") }
    }

    func read(_ range: Range<Int>, of id: BlobID) throws -> [UInt8] {
        var failure: BlobError?
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            while count < range.count {
                let rest = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[count...]
                )
                let got = pread(
                    descriptor,
                    rest.baseAddress,
                    range.count - count,
                    off_t(range.lowerBound + count)
                )
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = BlobError(errno: errno, "pread") }
                if got == 0 { failure = .corrupt(id) }
                guard got > 0 else { return }
                count += got
            }
        }
        if let failure { throw failure }
        return bytes
    }
}

extension BlobError {
    init(errno code: CInt, _ call: String) {
        let words = strerror(code).map { String(cString: $0) } ?? "error \(code)"
        self = .unavailable(reason: "\(call): \(words)")
    }
}
