import Glibc

/// An IPv4 or IPv6 address; an IPv4-mapped IPv6 address becomes IPv4.
package enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// From 4 or 16 bytes in network order; nil for any other count.
    package init?(bytes: some Collection<UInt8>) {
        func number(_ part: some Collection<UInt8>) -> UInt64 {
            part.reduce(0) { $0 << 8 | UInt64($1) }
        }
        switch bytes.count {
        case 4:
            self = .v4(UInt32(truncatingIfNeeded: number(bytes)))
        case 16:
            let high = number(bytes.prefix(8))
            let low = number(bytes.dropFirst(8))
            if high == 0, low >> 32 == 0xFFFF {
                self = .v4(UInt32(truncatingIfNeeded: low))
            } else {
                self = .v6(high: high, low: low)
            }
        default:
            return nil
        }
    }

    /// From its usual text, `192.0.2.1` or `2001:db8::1`, without brackets or zone.
    package init?(_ text: String) {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self = .v4(UInt32(bigEndian: four.s_addr))
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: &six) { Array($0) }
        self.init(bytes: bytes)
    }

    /// 4 or 16 bytes in network order.
    package var bytes: [UInt8] {
        switch self {
        case .v4(let number):
            (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * $0)) }
        case .v6(let high, let low):
            [high, low].flatMap { half in
                (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * $0)) }
            }
        }
    }

    package var isIPv6: Bool {
        if case .v6 = self { return true }
        return false
    }

    package var isLoopback: Bool {
        switch self {
        case .v4(let number): number >> 24 == 127
        case .v6(let high, let low): high == 0 && low == 1
        }
    }

    /// The form inside the square brackets of an SMTP address literal.
    ///
    /// RFC 5321 §4.1.3
    package var literal: String { isIPv6 ? "IPv6:\(self)" : "\(self)" }
}

extension IPAddress: CustomStringConvertible {
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isIPv6 ? AF_INET6 : AF_INET
        let written = bytes.withUnsafeBytes { source in
            inet_ntop(family, source.baseAddress, &text, socklen_t(text.count))
        }
        guard written != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A block of addresses, as in `192.0.2.0/24`.
package struct IPNetwork: Hashable, Sendable, CustomStringConvertible {
    package let address: IPAddress
    package let prefixLength: Int

    /// From `address/length`, or one address alone; nil when it is neither.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, let address = IPAddress(String(first))
        else { return nil }
        let full = address.isIPv6 ? 128 : 32
        var length = full
        if parts.count == 2 {
            guard let given = Int(parts[1]), (0...full).contains(given) else { return nil }
            length = given
        }
        self.init(address, prefixLength: length)
    }

    /// The block of `prefixLength` bits around `address`; the length is clamped to the family's.
    package init(_ address: IPAddress, prefixLength: Int) {
        let length = min(max(prefixLength, 0), address.isIPv6 ? 128 : 32)
        self.prefixLength = length
        switch address {
        case .v4(let number):
            self.address = .v4(length == 0 ? 0 : number & (UInt32.max << UInt32(32 - length)))
        case .v6(let high, let low):
            let highMask = length == 0 ? 0 : UInt64.max << UInt64(64 - min(length, 64))
            let lowMask = length <= 64 ? 0 : UInt64.max << UInt64(128 - length)
            self.address = .v6(high: high & highMask, low: low & lowMask)
        }
    }

    package func contains(_ other: IPAddress) -> Bool {
        other.isIPv6 == address.isIPv6
            && IPNetwork(other, prefixLength: prefixLength).address == address
    }

    package var description: String { "\(address)/\(prefixLength)" }
}
