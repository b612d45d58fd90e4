import CPostgreSQL

/// The values of one statement in PostgreSQL's binary format; reused from one to the next.
struct Message {
    private(set) var types: [Oid] = []
    private var bytes: [UInt8] = []
    private var offsets: [Int] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    /// Bytes kept for the next statement; what a large body needed beyond is given back.
    private static let keptCapacity = 256 * 1_024

    mutating func encode(_ values: [SQLValue]) throws(DatabaseError) {
        if bytes.capacity > Self.keptCapacity { bytes = [] }
        bytes.removeAll(keepingCapacity: true)
        // Empty values need an address too: a null pointer would mean NULL.
        bytes.append(0)
        types.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        for value in values {
            let start = bytes.count
            switch value {
            case .null:
                types.append(0)
                offsets.append(-1)
                lengths.append(0)
                continue
            case .integer(let number):
                types.append(PostgreSQLType.integer)
                withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
            case .text(let text):
                types.append(PostgreSQLType.text)
                bytes.append(contentsOf: text.utf8)
                if bytes[start...].contains(0) { throw .failed("text holds U+0000") }
            case .blob(let blob):
                types.append(PostgreSQLType.blob)
                bytes.append(contentsOf: blob)
            }
            guard let length = Int32(exactly: bytes.count - start) else {
                throw .failed("a value is larger than 2 GiB")
            }
            offsets.append(start)
            lengths.append(length)
        }
        while formats.count < values.count { formats.append(1) }
    }

    /// Lends the arrays that libpq asks for: count, values, lengths, formats.
    func withParameters(
        _ body: (
            Int32, [UnsafePointer<CChar>?], [Int32], [Int32]
        ) -> Int32
    ) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            let start = buffer.assumingMemoryBound(to: CChar.self).baseAddress
            let pointers = offsets.map { offset in offset < 0 ? nil : start.map { $0 + offset } }
            return body(Int32(offsets.count), pointers, lengths, formats)
        }
    }
}
