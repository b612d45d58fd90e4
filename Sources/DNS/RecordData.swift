import Net
import Wire

/// The RDATA of the types that mail asks for.
///
/// libunbound hands names over uncompressed. Nil is a record that breaks its format.
enum RecordData {
    /// MX.
    ///
    /// RFC 1035 §3.3.9
    static func mailExchanger(_ data: [UInt8]) -> MailExchanger? {
        guard data.count > 2, let exchange = name(data[2...]) else { return nil }
        return MailExchanger(
            preference: UInt16(data[0]) << 8 | UInt16(data[1]),
            exchange: exchange
        )
    }

    /// The character-strings of a TXT record, joined.
    ///
    /// RFC 1035 §3.3.14, RFC 7208 §3.3
    static func text(_ data: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = data[...]
        while let length = rest.popFirst() {
            guard rest.count >= Int(length) else { return nil }
            result += rest.prefix(Int(length))
            rest = rest.dropFirst(Int(length))
        }
        return result
    }

    /// TLSA.
    ///
    /// RFC 6698 §2.1
    static func tlsAssociation(_ data: [UInt8]) -> TLSAssociation? {
        guard data.count > 3 else { return nil }
        return TLSAssociation(
            usage: data[0],
            selector: data[1],
            matchingType: data[2],
            data: Array(data[3...])
        )
    }

    /// A domain name in text, lower case, labels joined by dots; empty for the root.
    ///
    /// A label with a byte that no host name has is refused rather than escaped.
    ///
    /// RFC 1035 §3.1
    static func name(_ data: ArraySlice<UInt8>) -> String? {
        var labels: [String] = []
        var rest = data
        var total = 0
        while let length = rest.popFirst() {
            if length == 0 { return rest.isEmpty ? labels.joined(separator: ".") : nil }
            total += Int(length) + 1
            guard length < 64, total < 255, rest.count >= Int(length) else { return nil }
            let label = rest.prefix(Int(length))
            let isPlain = label.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2E && $0 != 0x5C }
            guard isPlain else { return nil }
            labels.append(String(decoding: label.map(\.lowercased), as: UTF8.self))
            rest = rest.dropFirst(Int(length))
        }
        return nil
    }

    static func address(_ data: [UInt8]) -> IPAddress? { IPAddress(bytes: data) }
}

extension IPAddress {
    /// The name under which the PTR record of this address stands.
    ///
    /// RFC 1035 §3.5, RFC 3596 §2.5
    var reverseName: String {
        switch self {
        case .v4:
            return bytes.reversed().map(String.init).joined(separator: ".") + ".in-addr.arpa"
        case .v6:
            let nibbles = bytes.reversed().flatMap { [$0 & 0xF, $0 >> 4] }
            return nibbles.map { String($0, radix: 16) }.joined(separator: ".") + ".ip6.arpa"
        }
    }
}
