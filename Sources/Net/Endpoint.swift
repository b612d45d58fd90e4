import NIOCore

/// One end of a connection.
package enum Endpoint: Hashable, Sendable {
    case ip(IPAddress, port: UInt16)
    case unix(String)

    /// The address, unless this is a unix socket.
    package var address: IPAddress? {
        if case .ip(let address, _) = self { return address }
        return nil
    }

    package var port: UInt16? {
        if case .ip(_, let port) = self { return port }
        return nil
    }
}

extension Endpoint: CustomStringConvertible {
    package var description: String {
        switch self {
        case .ip(let address, let port):
            address.isIPv6 ? "[\(address)]:\(port)" : "\(address):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

extension Endpoint {
    /// From `192.0.2.1:25`, `[2001:db8::1]:25` or `unix:/path`; nil when it is none of them.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            self = .unix(String(text.dropFirst(5)))
            return
        }
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard let address = IPAddress(String(host)) else { return nil }
        self = .ip(address, port: port)
    }

    init?(_ address: SocketAddress?) {
        guard let address else { return nil }
        switch address {
        case .v4(let four):
            let number = UInt32(bigEndian: four.address.sin_addr.s_addr)
            self = .ip(.v4(number), port: UInt16(bigEndian: four.address.sin_port))
        case .v6(let six):
            let bytes = withUnsafeBytes(of: six.address.sin6_addr) { Array($0) }
            guard let address = IPAddress(bytes: bytes) else { return nil }
            self = .ip(address, port: UInt16(bigEndian: six.address.sin6_port))
        case .unixDomainSocket:
            self = .unix(address.pathname ?? "")
        }
    }

    func socketAddress() throws -> SocketAddress {
        switch self {
        case .ip(let address, let port):
            try SocketAddress(ipAddress: address.description, port: Int(port))
        case .unix(let path):
            try SocketAddress(unixDomainSocketPath: path)
        }
    }
}
