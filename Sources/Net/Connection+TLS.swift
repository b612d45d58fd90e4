internal import NIOCore
internal import NIOSSL
import Synchronization

extension Connection {
    /// Becomes the server side of TLS; `reply` is the last thing said in clear.
    ///
    /// The reply goes out and the handshake begins in one step of the event loop, so a quick client
    /// cannot be mistaken for an attacker. Bytes that already wait in clear are refused: nothing is
    /// said, nothing is upgraded, and the caller answers in its protocol's words and closes. (The
    /// caller looks itself at what it took with `next` and has not parsed.)
    ///
    /// RFC 3207 §4, RFC 9051 §6.2.1
    package func startTLS(
        _ identity: TLSIdentity,
        saying reply: [UInt8] = []
    ) async throws(NetError) {
        let context = identity.context
        try await upgrade(saying: reply, refusingPlaintext: true) {
            NIOSSLServerHandler(context: context)
        }
    }

    /// Becomes the client side of TLS towards `serverName`.
    package func startTLS(_ tls: ClientTLS, serverName: String) async throws(NetError) {
        let context = tls.context
        // An address is no server name: RFC 6066 §3.
        let name = IPAddress(serverName) == nil ? serverName : nil
        try await upgrade(saying: [], refusingPlaintext: true) {
            try NIOSSLClientHandler(context: context, serverHostname: name)
        }
    }

    /// The handshake of a listener that speaks TLS from the first byte.
    func startImplicitTLS(_ identity: TLSIdentity) async throws(NetError) {
        let context = identity.context
        try await upgrade(saying: [], refusingPlaintext: false) {
            NIOSSLServerHandler(context: context)
        }
    }

    private func upgrade(
        saying reply: [UInt8],
        refusingPlaintext: Bool,
        with makeHandler: @escaping @Sendable () throws -> NIOSSLHandler
    ) async throws(NetError) {
        let deadline = Deadline.after(limits.handshakeTimeout)
        let isClean: Bool
        do {
            isClean = try await channel.eventLoop.submit {
                try self.insert(makeHandler, saying: reply, refusingPlaintext: refusingPlaintext)
            }.get()
        } catch {
            abort()
            throw .handshakeFailed("\(error)")
        }
        guard isClean else { throw .injectedPlaintext }
        while true {
            switch state.withLock({ ($0.tls, $0.isInputEnded) }) {
            case (.active, _): return
            case (.failed(let reason), _):
                abort()
                throw .handshakeFailed(reason)
            case (_, true):
                abort()
                throw .closed
            case (_, false): break
            }
            if Deadline.now >= deadline {
                abort()
                throw .timedOut
            }
            await waitForChange(until: deadline)
        }
    }

    /// On the event loop: checks, says the reply and puts TLS below everything else.
    private func insert(
        _ makeHandler: () throws -> NIOSSLHandler,
        saying reply: [UInt8],
        refusingPlaintext: Bool
    ) throws -> Bool {
        let early = state.withLock { state -> [UInt8]? in
            if refusingPlaintext, !state.inbound.isEmpty { return nil }
            var early: [UInt8] = []
            swap(&early, &state.inbound)
            state.outbound.append(reply)
            state.tls = .handshaking
            return early
        }
        guard let early else { return false }
        while writePiece() {}
        try channel.pipeline.syncOperations.addHandler(makeHandler(), position: .first)
        if !early.isEmpty {
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: early))
            channel.pipeline.fireChannelReadComplete()
        }
        return true
    }

    /// From here on both directions are raw DEFLATE.
    ///
    /// Bytes that have arrived and were not taken count as compressed; what was sent before stays
    /// as it was.
    ///
    /// RFC 4978 §3
    package func startCompression() throws(NetError) {
        let isReady = codec.withLock { codec in
            codec = Codec()
            return codec != nil
        }
        guard isReady else { throw .closed }
        state.withLock { $0.isCompressed = true }
    }
}
