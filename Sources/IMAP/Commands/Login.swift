/// LOGIN with its two secrets.
///
/// RFC 9051 §6.2.3
package struct LoginCommand: Equatable, Sendable {
    package let login: String
    package let password: String

    init(parsing parser: inout Parser) throws(Refusal) {
        login = try parser.spacedText()
        password = try parser.spacedText()
    }
}

/// AUTHENTICATE, with the initial response of SASL-IR.
///
/// RFC 9051 §6.2.2, RFC 4959 §3
package struct AuthenticateCommand: Equatable, Sendable {
    /// In upper case.
    package let mechanism: String
    /// Still in base64; empty for `=`; nil when the client waits for a challenge.
    package let initialResponse: [UInt8]?

    init(parsing parser: inout Parser) throws(Refusal) {
        mechanism = try parser.spacedKeyword()
        guard parser.cursor.take(.space), !parser.cursor.isAtEnd else {
            initialResponse = nil
            return
        }
        initialResponse = parser.take(.equals) ? [] : Array(try parser.atomBytes())
    }
}
