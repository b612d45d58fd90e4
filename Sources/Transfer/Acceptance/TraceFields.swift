import MIME
import Mail
import Wire

/// What a Received field says about how a message came.
///
/// RFC 5321 §4.4
struct Reception: Sendable {
    let hostName: String
    let clientName: String
    let clientLiteral: String
    let protocolWord: String
    let tlsVersion: String?
    let queueID: String
    /// Unix milliseconds.
    let time: Int64
    /// The forward-path, when there is only one: several would tell each recipient of the others.
    ///
    /// RFC 5321 §7.6
    let forwardPath: EmailAddress?

    /// The field with its CR LF.
    var received: [UInt8] {
        var field: [UInt8] = []
        field.reserveCapacity(300)
        field.append("Received: from ")
        field.append(text: "\(clientName) (\(clientLiteral))")
        if let tlsVersion { field.append(text: " (using \(tlsVersion))") }
        field.append(text: "\r\n\tby \(hostName) with \(protocolWord) id \(queueID)")
        if let forwardPath { field.append(text: "\r\n\tfor <\(forwardPath)>") }
        field.append(text: ";\r\n\t\(MailDate(unixSeconds: time / 1000).text)\r\n")
        return field
    }

    /// The word after `with`.
    ///
    /// RFC 3848 §1, RFC 6531 §4.3
    static func word(
        isLMTP: Bool,
        isExtended: Bool,
        isSecure: Bool,
        isAuthenticated: Bool,
        usesSMTPUTF8: Bool
    ) -> String {
        let suffix = (isSecure ? "S" : "") + (isAuthenticated ? "A" : "")
        if isLMTP { return (usesSMTPUTF8 ? "UTF8LMTP" : "LMTP") + suffix }
        if usesSMTPUTF8 { return "UTF8SMTP" + suffix }
        return (isExtended ? "ESMTP" : "SMTP") + suffix
    }
}

/// The field that final delivery adds.
///
/// RFC 5321 §4.4
enum ReturnPathField {
    /// The field with its CR LF.
    static func bytes(_ reversePath: ReversePath) -> [UInt8] {
        var field: [UInt8] = []
        field.append("Return-Path: <")
        if case .address(let address) = reversePath { field.append(text: "\(address)") }
        field.append(">\r\n")
        return field
    }
}
