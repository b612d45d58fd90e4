import Wire

/// The header by which a load balancer names the client it speaks for, version 1 or 2.
///
/// | version | layout |
/// |---|---|
/// | 1 | `PROXY TCP4 source destination sport dport CRLF`, at most 107 bytes; or `PROXY UNKNOWN … CRLF` |
/// | 2 | 12 bytes of signature, version and command, family and transport, length (2), addresses |
enum ProxyHeader {
    enum Result: Equatable {
        /// `peer` is nil when the proxy speaks for itself (a health check) or does not know.
        case complete(peer: Endpoint?, length: Int)
        case incomplete
        case invalid
    }

    static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    private static let maximumTextLength = 107
    private static let maximumBinaryLength = 1024

    static func parse(_ bytes: [UInt8]) -> Result {
        let common = min(bytes.count, signature.count)
        if bytes.prefix(common).elementsEqual(signature.prefix(common)) {
            return common < signature.count ? .incomplete : parseBinary(bytes)
        }
        let word = Array("PROXY ".utf8)
        let start = min(bytes.count, word.count)
        guard bytes.prefix(start).elementsEqual(word.prefix(start)) else { return .invalid }
        return start < word.count ? .incomplete : parseText(bytes)
    }

    private static func parseText(_ bytes: [UInt8]) -> Result {
        guard let lineFeed = bytes.firstIndex(ofByte: .lf) else {
            return bytes.count < maximumTextLength ? .incomplete : .invalid
        }
        let length = lineFeed + 1
        guard length <= maximumTextLength, lineFeed > 0, bytes[lineFeed - 1] == .cr else {
            return .invalid
        }
        let line = String(lossyUTF8: bytes[..<(lineFeed - 1)])
        let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count >= 2 else { return .invalid }
        if words[1] == "UNKNOWN" { return .complete(peer: nil, length: length) }
        guard words.count == 6, words[1] == "TCP4" || words[1] == "TCP6",
            let source = IPAddress(words[2]), let port = UInt16(words[4])
        else { return .invalid }
        return .complete(peer: .ip(source, port: port), length: length)
    }

    private static func parseBinary(_ bytes: [UInt8]) -> Result {
        guard bytes.count >= 16 else { return .incomplete }
        let (versionAndCommand, family) = (bytes[12], bytes[13])
        let size = Int(bytes[14]) << 8 | Int(bytes[15])
        let length = 16 + size
        guard versionAndCommand >> 4 == 2, length <= maximumBinaryLength else { return .invalid }
        guard bytes.count >= length else { return .incomplete }
        let isLocal = versionAndCommand & 0x0F == 0
        let addressBytes = family >> 4 == 1 ? 4 : 16
        guard !isLocal, family >> 4 == 1 || family >> 4 == 2 else {
            return .complete(peer: nil, length: length)
        }
        guard size >= 2 * addressBytes + 4,
            let source = IPAddress(bytes: bytes[16..<(16 + addressBytes)])
        else { return .invalid }
        let portStart = 16 + 2 * addressBytes
        let port = UInt16(bytes[portStart]) << 8 | UInt16(bytes[portStart + 1])
        return .complete(peer: .ip(source, port: port), length: length)
    }
}

extension Connection {
    /// Reads the header and takes the client it names as the peer; false when it is not one.
    func readProxyHeader(within limit: Duration) async -> Bool {
        let deadline = Deadline.after(limit)
        while true {
            let bytes = state.withLock { $0.inbound }
            switch ProxyHeader.parse(bytes) {
            case .complete(let peer, let length):
                state.withLock { state in
                    state.inbound.removeFirst(length)
                    if let peer { state.peer = peer }
                }
                return true
            case .invalid:
                return false
            case .incomplete:
                if Deadline.now >= deadline || state.withLock({ $0.isInputEnded }) { return false }
                await waitForMore(than: bytes.count, until: deadline)
            }
        }
    }

    private func waitForMore(than count: Int, until deadline: Deadline) async {
        state.withLock { $0.ignoredBytes = count }
        await waitForChange(until: deadline)
        state.withLock { $0.ignoredBytes = 0 }
    }
}
