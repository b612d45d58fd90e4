internal import CZlib

/// Both halves of a compressed connection.
///
/// RFC 4978 §3, RFC 1951 §3
struct Codec {
    let inflater: Inflater
    let deflater: Deflater

    init?() {
        guard let inflater = Inflater(), let deflater = Deflater() else { return nil }
        self.inflater = inflater
        self.deflater = deflater
    }
}

/// Expands raw DEFLATE on demand: never more output at a time than was asked for.
final class Inflater {
    enum Result: Equatable {
        /// Never empty.
        case output([UInt8])
        case needsInput
        case corrupt
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private var input: [UInt8] = []
    private var consumed = 0
    private var mayHoldOutput = false

    init?() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = inflateInit2_(
            stream,
            -MAX_WBITS,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard status == Z_OK else {
            stream.deinitialize(count: 1)
            stream.deallocate()
            return nil
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Adds `more` to the input and returns at most `limit` bytes of output.
    func inflate(_ more: [UInt8], atMost limit: Int) -> Result {
        if !more.isEmpty {
            if consumed == input.count {
                input = more
            } else {
                input.removeFirst(consumed)
                input.append(contentsOf: more)
            }
            consumed = 0
        }
        guard consumed < input.count || mayHoldOutput else { return .needsInput }
        var isCorrupt = false
        let output = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            input.withUnsafeMutableBufferPointer { input in
                stream.pointee.next_in = input.baseAddress.map { $0 + consumed }
                stream.pointee.avail_in = UInt32(input.count - consumed)
                stream.pointee.next_out = buffer.baseAddress
                stream.pointee.avail_out = UInt32(buffer.count)
                let status = CZlib.inflate(stream, Z_SYNC_FLUSH)
                isCorrupt = status != Z_OK && status != Z_BUF_ERROR
                consumed = input.count - Int(stream.pointee.avail_in)
            }
            count = buffer.count - Int(stream.pointee.avail_out)
        }
        mayHoldOutput = output.count == limit
        if consumed == input.count {
            input = []
            consumed = 0
        }
        if isCorrupt { return .corrupt }
        return output.isEmpty ? .needsInput : .output(output)
    }
}

/// Compresses to raw DEFLATE, so that the peer can read every `send` at once.
final class Deflater {
    /// Window of 2^13 and memory level 5: about 50 KB for each connection instead of 256 KB.
    private static let windowBits: Int32 = 13
    private static let memoryLevel: Int32 = 5

    private let stream: UnsafeMutablePointer<z_stream>

    init?() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = deflateInit2_(
            stream,
            Z_DEFAULT_COMPRESSION,
            Z_DEFLATED,
            -Self.windowBits,
            Self.memoryLevel,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard status == Z_OK else {
            stream.deinitialize(count: 1)
            stream.deallocate()
            return nil
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// The compressed form of `bytes`; with `flushing`, all of it that is still held too.
    func deflate(_ bytes: ArraySlice<UInt8>, flushing: Bool) -> [UInt8] {
        var output: [UInt8] = []
        var input = Array(bytes)
        input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(input.count)
            var isDone = false
            while !isDone {
                let room = Int(deflateBound(stream, UInt(stream.pointee.avail_in))) + 16
                let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
                    stream.pointee.next_out = buffer.baseAddress
                    stream.pointee.avail_out = UInt32(buffer.count)
                    CZlib.deflate(stream, flushing ? Z_SYNC_FLUSH : Z_NO_FLUSH)
                    count = buffer.count - Int(stream.pointee.avail_out)
                }
                output.append(contentsOf: piece)
                isDone = stream.pointee.avail_out > 0
            }
        }
        return output
    }
}
