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
    func compress(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count > 64, let context = take(compressing) ?? ZSTD_createCCtx() else {
            return nil
        }
        defer { give(context, to: compressing) { _ = ZSTD_freeCCtx($0) } }
        let bound = ZSTD_compressBound(bytes.count)
        let compressed = bytes.withUnsafeBytes { source in
            [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
                let written = ZSTD_compressCCtx(
                    context,
                    buffer.baseAddress,
                    buffer.count,
                    source.baseAddress,
                    source.count,
                    Self.level
                )
                count = ZSTD_isError(written) != 0 ? 0 : written
            }
        }
        return compressed.isEmpty || compressed.count >= bytes.count ? nil : compressed
    }

    /// The `size` bytes that `bytes` stand for; nil when they do not.
    func decompress(_ bytes: UnsafeRawBufferPointer, size: Int) -> [UInt8]? {
        guard let context = take(decompressing) ?? ZSTD_createDCtx() else { return nil }
        defer { give(context, to: decompressing) { _ = ZSTD_freeDCtx($0) } }
        let result = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            let written = ZSTD_decompressDCtx(
                context,
                buffer.baseAddress,
                size,
                bytes.baseAddress,
                bytes.count
            )
            count = ZSTD_isError(written) != 0 ? 0 : written
        }
        return result.count == size ? result : nil
    }

    /// The first `length` of the bytes that `bytes` stand for, which are more than that; nil when
    /// they do not decompress so far.
    func decompress(_ bytes: UnsafeRawBufferPointer, beginning length: Int) -> [UInt8]? {
        guard let context = take(decompressing) ?? ZSTD_createDCtx() else { return nil }
        ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
        defer { give(context, to: decompressing) { _ = ZSTD_freeDCtx($0) } }
        let result = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
            var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: length, pos: 0)
            while output.pos < length {
                let before = (input.pos, output.pos)
                let left = ZSTD_decompressStream(context, &output, &input)
                if ZSTD_isError(left) != 0 || before == (input.pos, output.pos) { break }
            }
            count = output.pos
        }
        return result.count == length ? result : nil
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
