import Wire

/// How a body was made fit for transport.
///
/// RFC 2045 §6
package enum TransferEncoding: Hashable, Sendable {
    case sevenBit, eightBit, binary, base64, quotedPrintable
    /// A token that we do not know, in upper case.
    case unknown(String)

    /// As BODYSTRUCTURE writes it.
    package var name: String {
        switch self {
        case .sevenBit: "7BIT"
        case .eightBit: "8BIT"
        case .binary: "BINARY"
        case .base64: "BASE64"
        case .quotedPrintable: "QUOTED-PRINTABLE"
        case .unknown(let token): token
        }
    }

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        var lexer = Lexer(bytes, range)
        lexer.skipBlanksAndComments()
        let token = bytes[lexer.take { Lexer.isToken($0) }]
        switch token.count {
        case 0: self = .sevenBit
        case 4 where token.equalsIgnoringCase("7bit"): self = .sevenBit
        case 4 where token.equalsIgnoringCase("8bit"): self = .eightBit
        case 6 where token.equalsIgnoringCase("binary"): self = .binary
        case 6 where token.equalsIgnoringCase("base64"): self = .base64
        case 16 where token.equalsIgnoringCase("quoted-printable"): self = .quotedPrintable
        default:
            self = .unknown(String(decoding: token.prefix(127).map(\.uppercased), as: UTF8.self))
        }
    }

    /// The decoded body, at most `limit` bytes of it; nil for an encoding that we do not know.
    func decode(_ body: ArraySlice<UInt8>, limit: Int = .max) -> [UInt8]? {
        switch self {
        case .sevenBit, .eightBit, .binary: Array(body.prefix(max(limit, 0)))
        case .base64: Base64.decodeLeniently(body, limit: limit)
        case .quotedPrintable: QuotedPrintable.decode(body, limit: limit)
        case .unknown: nil
        }
    }
}
