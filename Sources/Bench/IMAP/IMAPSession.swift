import NIOCore
import Wire

/// One IMAP connection as a classic handler.
///
/// Commands go out with tags, completions come back in
/// order. Everything happens on its event loop.
///
/// RFC 9051 §2.2
final class IMAPSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct Pending {
        var tag: Int
        var start: NIODeadline
        var completion: (IMAPResponse) -> Void
    }

    private var scanner = ResponseScanner()
    private var pending = CircularBuffer<Pending>()
    private var context: ChannelHandlerContext?
    private var untagged: [[UInt8]] = []
    private var fetchesBefore = 0
    private var bytes = 0
    private var tag = 0
    private var onContinuation: (() -> Void)?
    private var isClosed = false

    /// Called for each untagged response, other than FETCH, while no command is pending.
    var onUntagged: (([UInt8]) -> Void)?

    /// Untagged responses kept for one command; later ones are dropped.
    private static let mostUntagged = 10_000

    init(greeting: @escaping (IMAPResponse) -> Void) {
        pending.append(Pending(tag: 0, start: .now(), completion: greeting))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    /// Sends a command; `text` is without its tag and line end.
    func send(_ text: String, completion: @escaping (IMAPResponse) -> Void) {
        var line = begin(text, completion)
        line?.writeString("\r\n")
        if let line { write(line) }
        flush()
    }

    /// Sends a command that ends with a literal, without waiting for the server's consent.
    ///
    /// RFC 7888 §3
    func send(
        _ text: String,
        literal pieces: [ByteBuffer],
        completion: @escaping (IMAPResponse) -> Void
    ) {
        let size = pieces.reduce(0) { $0 + $1.readableBytes }
        guard var line = begin(text, completion) else { return }
        line.writeString(" {\(size)+}\r\n")
        write(line)
        for piece in pieces { write(piece) }
        write(ByteBuffer(string: "\r\n"))
        flush()
    }

    /// Sends a command that ends with a literal, the literal after the server's consent.
    ///
    /// RFC 9051 §4.3
    func send(
        _ text: String,
        synchronizing pieces: [ByteBuffer],
        completion: @escaping (IMAPResponse) -> Void
    ) {
        let size = pieces.reduce(0) { $0 + $1.readableBytes }
        guard var line = begin(text, completion) else { return }
        line.writeString(" {\(size)}\r\n")
        onContinuation = { [unowned self] in
            for piece in pieces { write(piece) }
            write(ByteBuffer(string: "\r\n"))
            flush()
        }
        write(line)
        flush()
    }

    /// Sends IDLE; `idling` is called when the server waits.
    ///
    /// RFC 9051 §6.3.13
    func idle(idling: @escaping () -> Void, completion: @escaping (IMAPResponse) -> Void) {
        onContinuation = idling
        send("IDLE", completion: completion)
    }

    /// Ends IDLE.
    func done() {
        write(ByteBuffer(string: "DONE\r\n"))
        flush()
    }

    func close() {
        context?.close(promise: nil)
    }

    private func begin(
        _ text: String,
        _ completion: @escaping (IMAPResponse) -> Void
    ) -> ByteBuffer? {
        tag += 1
        pending.append(Pending(tag: tag, start: .now(), completion: completion))
        guard !isClosed, let context else {
            failAll()
            return nil
        }
        var line = context.channel.allocator.buffer(capacity: text.utf8.count + 24)
        line.writeString("a\(tag) ")
        line.writeString(text)
        return line
    }

    private func write(_ buffer: ByteBuffer) {
        context?.write(wrapOutboundOut(buffer), promise: nil)
    }

    private func flush() {
        context?.flush()
    }

    // MARK: Receiving

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        bytes += buffer.readableBytes
        buffer.withUnsafeReadableBytes { bytes in
            var position = 0
            while let line = scanner.next(in: bytes, from: &position) { take(line) }
        }
    }

    private func take(_ line: [UInt8]) {
        switch line.first {
        case 0x2A where pending.first?.tag == 0:
            complete(line, status: line.startsIgnoringCase(with: "* OK") ? .ok : .bad)
        case 0x2A:
            if pending.isEmpty {
                onUntagged?(line)
            } else if untagged.count < Self.mostUntagged {
                untagged.append(line)
            }
        case 0x2B:
            let resume = onContinuation
            onContinuation = nil
            resume?()
        default:
            tagged(line)
        }
    }

    private func tagged(_ line: [UInt8]) {
        var cursor = Cursor(line)
        guard
            cursor.take(0x61), let number = cursor.takeNumber(Int.self), cursor.take(.space),
            number == pending.first?.tag
        else {
            failAll()
            return close()
        }
        let status: IMAPResponse.Status =
            cursor.take("OK") ? .ok : cursor.take("NO") ? .no : .bad
        complete(line, status: status)
    }

    private func complete(_ line: [UInt8], status: IMAPResponse.Status) {
        guard let first = pending.popFirst() else { return }
        let response = IMAPResponse(
            status: status,
            line: line,
            fetches: scanner.fetches - fetchesBefore,
            bytes: bytes,
            untagged: untagged,
            start: first.start
        )
        fetchesBefore = scanner.fetches
        bytes = 0
        untagged = []
        first.completion(response)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosed = true
        failAll()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func failAll() {
        while let first = pending.popFirst() {
            first.completion(
                IMAPResponse(
                    status: .lost,
                    line: Array("connection lost".utf8),
                    fetches: 0,
                    bytes: 0,
                    untagged: [],
                    start: first.start
                )
            )
        }
    }
}
