import CZstd
import Synchronization

/// zstd at level 1, with contexts that are used again.
///
/// The contexts wait in the mutex as addresses: a context belongs to whoever took it.
final class Compressor: Sendable {
    private let compressing = Mutex<[UInt]>([])
    private let decompressing = Mutex<[UInt]>([])

    /// How many idle contexts of a kind are kept.
    private static let keptContexts = 16
    private static let level: Int32 = 1

    /// The compressed form of `bytes`; nil when it is not smaller, or memory is short.
    ///
    /// - Parameter joints: where what follows is of another kind, ascending.
    func compress(_ bytes: [UInt8], joints: [Int] = []) -> [UInt8]? {
        guard bytes.count > 64, let context = take(compressing) ?? ZSTD_createCCtx() else {
            return nil
        }
        defer { give(context, to: compressing) { _ = ZSTD_freeCCtx($0) } }
        let bound = ZSTD_compressBound(bytes.count) + joints.count * Self.bytesPerJoint
        let compressed = bytes.withUnsafeBytes { source in
            [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
                count =
                    joints.isEmpty
                    ? Self.compress(source, into: buffer, context)
                    : Self.compress(source, at: joints, into: buffer, context)
            }
        }
        return compressed.isEmpty || compressed.count >= bytes.count ? nil : compressed
    }

    /// What ending a block early may cost.
    private static let bytesPerJoint = 64

    private static func compress(
        _ source: UnsafeRawBufferPointer,
        into buffer: UnsafeMutableBufferPointer<UInt8>,
        _ context: OpaquePointer
    ) -> Int {
        let written = ZSTD_compressCCtx(
            context,
            buffer.baseAddress,
            buffer.count,
            source.baseAddress,
            source.count,
            level
        )
        return ZSTD_isError(written) != 0 ? 0 : written
    }

    /// The same, with a block that ends at each joint; yields 0 when that failed.
    private static func compress(
        _ source: UnsafeRawBufferPointer,
        at joints: [Int],
        into buffer: UnsafeMutableBufferPointer<UInt8>,
        _ context: OpaquePointer
    ) -> Int {
        ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters)
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        ZSTD_CCtx_setPledgedSrcSize(context, UInt64(source.count))
        var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        var position = 0
        for end in joints + [source.count] {
            var input = ZSTD_inBuffer(src: source.baseAddress, size: end, pos: position)
            let isLast = end == source.count
            let left = ZSTD_compressStream2(
                context,
                &output,
                &input,
                isLast ? ZSTD_e_end : ZSTD_e_flush
            )
            // The buffer has room for all, so one call takes everything.
            guard ZSTD_isError(left) == 0, left == 0, input.pos == end else { return 0 }
            position = end
            if isLast { break }
        }
        return output.pos
    }

    /// The first `length` of the `size` bytes that `bytes` stand for; nil when they are not so many.
    func decompress(_ bytes: UnsafeRawBufferPointer, size: Int, length: Int) -> [UInt8]? {
        guard Self.contentSize(bytes) == size else { return nil }
        let result = decompress(bytes, upTo: size, length: length)
        return result?.count == min(size, length) ? result : nil
    }

    /// The first `length` of the bytes that `bytes` stand for, fewer when there are no more; nil
    /// when they are damaged, or stand for more than `limit`.
    func decompress(
        _ bytes: UnsafeRawBufferPointer,
        upTo limit: Int,
        length: Int
    ) -> [UInt8]? {
        guard let size = Self.contentSize(bytes), size <= limit,
            let context = take(decompressing) ?? ZSTD_createDCtx()
        else { return nil }
        defer { give(context, to: decompressing) { _ = ZSTD_freeDCtx($0) } }
        let wanted = min(size, length)
        let result = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
            count =
                wanted == size
                ? Self.whole(bytes, into: buffer, context)
                : Self.beginning(of: bytes, into: buffer, length: wanted, context)
        }
        return result.count == wanted ? result : nil
    }

    private static func contentSize(_ bytes: UnsafeRawBufferPointer) -> Int? {
        // The two highest values say "unknown" and "no frame".
        let size = ZSTD_getFrameContentSize(bytes.baseAddress, bytes.count)
        return size < UInt64(Int.max) ? Int(size) : nil
    }

    private static func whole(
        _ bytes: UnsafeRawBufferPointer,
        into buffer: UnsafeMutableBufferPointer<UInt8>,
        _ context: OpaquePointer
    ) -> Int {
        let written = ZSTD_decompressDCtx(
            context,
            buffer.baseAddress,
            buffer.count,
            bytes.baseAddress,
            bytes.count
        )
        return ZSTD_isError(written) != 0 ? 0 : written
    }

    private static func beginning(
        of bytes: UnsafeRawBufferPointer,
        into buffer: UnsafeMutableBufferPointer<UInt8>,
        length: Int,
        _ context: OpaquePointer
    ) -> Int {
        ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: length, pos: 0)
        while output.pos < length {
            let before = (input.pos, output.pos)
            let left = ZSTD_decompressStream(context, &output, &input)
            if ZSTD_isError(left) != 0 || before == (input.pos, output.pos) { break }
        }
        return output.pos
    }

    private func take(_ idle: borrowing Mutex<[UInt]>) -> OpaquePointer? {
        idle.withLock { $0.popLast() }.flatMap { OpaquePointer(bitPattern: $0) }
    }

    private func give(
        _ context: OpaquePointer,
        to idle: borrowing Mutex<[UInt]>,
        otherwise free: (OpaquePointer) -> Void
    ) {
        let address = UInt(bitPattern: context)
        let isKept = idle.withLock { idle in
            guard idle.count < Self.keptContexts else { return false }
            idle.append(address)
            return true
        }
        if !isKept { free(context) }
    }

    deinit {
        while let context = take(compressing) { ZSTD_freeCCtx(context) }
        while let context = take(decompressing) { ZSTD_freeDCtx(context) }
    }
}
