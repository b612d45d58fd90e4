package import Mail
import Wire

/// One mail transaction as a client begins it.
package struct OutgoingEnvelope: Sendable {
    package var reversePath: ReversePath
    package var recipients: [Recipient]
    package var body: BodyType
    package var needsSMTPUTF8: Bool
    /// ENVID, decoded.
    ///
    /// RFC 3461 §4.4
    package var envelopeID: String?
    package var returnContent: DSNReturn?

    package struct Recipient: Sendable {
        package var forwardPath: EmailAddress
        package var notify: DSNNotify?
        /// ORCPT, decoded, with its address type: `rfc822;anne@example.org`.
        package var originalRecipient: String?

        package init(
            _ forwardPath: EmailAddress,
            notify: DSNNotify? = nil,
            originalRecipient: String? = nil
        ) {
            self.forwardPath = forwardPath
            self.notify = notify
            self.originalRecipient = originalRecipient
        }
    }

    package init(
        reversePath: ReversePath,
        recipients: [Recipient],
        body: BodyType = .sevenBit,
        needsSMTPUTF8: Bool = false,
        envelopeID: String? = nil,
        returnContent: DSNReturn? = nil
    ) {
        self.reversePath = reversePath
        self.recipients = recipients
        self.body = body
        self.needsSMTPUTF8 = needsSMTPUTF8
        self.envelopeID = envelopeID
        self.returnContent = returnContent
    }
}

extension OutgoingEnvelope {
    /// MAIL, with the parameters that the server understands.
    ///
    /// RFC 5321 §4.1.1.2, RFC 1870 §3, RFC 6152 §2, RFC 6531 §3.4, RFC 3461 §4.3, §4.4
    func mailCommand(size: Int, for peer: PeerExtensions) -> [UInt8] {
        var line: [UInt8] = []
        line.append("MAIL FROM:<")
        if case .address(let address) = reversePath { line.append(text: "\(address)") }
        line.append(">")
        if peer.size {
            line.append(" SIZE=")
            line.append(decimal: size)
        }
        switch body {
        case .sevenBit: break
        case .eightBitMIME: if peer.eightBitMIME { line.append(" BODY=8BITMIME") }
        case .binaryMIME: line.append(" BODY=BINARYMIME")
        }
        if needsSMTPUTF8 { line.append(" SMTPUTF8") }
        if peer.dsn {
            switch returnContent {
            case .full: line.append(" RET=FULL")
            case .headers: line.append(" RET=HDRS")
            case nil: break
            }
            if let envelopeID {
                line.append(" ENVID=")
                line += XText.encode(envelopeID.utf8)
            }
        }
        line.appendCRLF()
        return line
    }

    /// RCPT, with the parameters that the server understands.
    ///
    /// RFC 5321 §4.1.1.3, RFC 3461 §4.1, §4.2
    func rcptCommand(_ recipient: Recipient, for peer: PeerExtensions) -> [UInt8] {
        var line: [UInt8] = []
        line.append("RCPT TO:<")
        line.append(text: "\(recipient.forwardPath)")
        line.append(">")
        if peer.dsn {
            if let notify = recipient.notify {
                line.append(" NOTIFY=")
                line.append(text: notify.words)
            }
            if let original = recipient.originalRecipient,
                let semicolon = original.utf8.firstIndex(of: 0x3B)
            {
                line.append(" ORCPT=")
                line.append(text: String(original[...semicolon]))
                line += Self.encodeAddress(original[original.index(after: semicolon)...])
            }
        }
        line.appendCRLF()
        return line
    }

    /// xtext for ASCII; `\x{…}` for what only an internationalized address has.
    ///
    /// RFC 6533 §3
    private static func encodeAddress(_ address: Substring) -> [UInt8] {
        var encoded: [UInt8] = []
        for scalar in address.unicodeScalars {
            if scalar.isASCII {
                encoded += XText.encode(String(scalar).utf8)
            } else {
                encoded.append(text: "\\x{\(String(scalar.value, radix: 16, uppercase: true))}")
            }
        }
        return encoded
    }
}

extension DSNNotify {
    /// The value of NOTIFY.
    fileprivate var words: String {
        let named: [(DSNNotify, String)] = [
            (.success, "SUCCESS"), (.failure, "FAILURE"), (.delay, "DELAY"),
        ]
        let words = named.filter { contains($0.0) }.map(\.1)
        return words.isEmpty ? "NEVER" : words.joined(separator: ",")
    }
}
