import Mail
import Wire

/// RCPT: adds one recipient to the mail transaction.
///
/// RFC 5321 §4.1.1.3
package struct RcptCommand: Equatable, Sendable {
    package let forwardPath: ForwardPath
    /// NOTIFY; nil when the client left it to us.
    ///
    /// RFC 3461 §4.1
    package private(set) var notify: DSNNotify?
    /// ORCPT, decoded, with its address type: `rfc822;anne@example.org`.
    ///
    /// RFC 3461 §4.2
    package private(set) var originalRecipient: String?

    /// Parses what follows the verb; the error is the reply that says what is wrong.
    init(
        _ arguments: ArraySlice<UInt8>,
        isExtended: Bool,
        usesSMTPUTF8: Bool
    ) throws(Refusal) {
        var cursor = Cursor(arguments)
        guard cursor.take("TO:"), let path = Path.forward(&cursor) else {
            throw Refusal(.pathSyntax)
        }
        forwardPath = path
        guard let parameters = Parameters(&cursor) else { throw Refusal(.parameterSyntax) }
        guard isExtended || parameters.list.isEmpty else { throw Refusal(.parameterUnknown) }
        for parameter in parameters.list {
            if parameter.keyword.equalsIgnoringCase("NOTIFY") {
                guard let value = parameter.value, let conditions = DSNNotify(value) else {
                    throw Refusal(.parameterSyntax)
                }
                notify = conditions
            } else if parameter.keyword.equalsIgnoringCase("ORCPT") {
                guard let value = parameter.value, let text = Self.originalRecipient(value) else {
                    throw Refusal(.parameterSyntax)
                }
                originalRecipient = text
            } else {
                throw Refusal(.parameterUnknown)
            }
        }
        if case .address(let address) = path, address.needsSMTPUTF8, !usesSMTPUTF8 {
            throw Refusal(.needsSMTPUTF8)
        }
    }

    // original-recipient-address = addr-type ";" xtext
    private static func originalRecipient(_ value: ArraySlice<UInt8>) -> String? {
        guard value.count <= maximumOriginalRecipient,
            let semicolon = value.firstIndex(ofByte: 0x3B)
        else { return nil }
        let type = value[..<semicolon]
        guard !type.isEmpty, type.allSatisfy({ $0.isAlpha || $0.isDigit || $0 == 0x2D }),
            let address = DSNText.decode(value[(semicolon + 1)...]), !address.isEmpty
        else { return nil }
        return "\(String(decoding: type, as: UTF8.self));\(address)"
    }

    /// Characters of ORCPT as sent.
    ///
    /// RFC 3461 §4.2
    static let maximumOriginalRecipient = 500
}

/// When the reverse-path wants to hear about a recipient; empty for `NEVER`.
///
/// RFC 3461 §4.1
package struct DSNNotify: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let success = DSNNotify(rawValue: 1)
    package static let failure = DSNNotify(rawValue: 2)
    package static let delay = DSNNotify(rawValue: 4)

    // notify-esmtp-value = "NEVER" / 1#notify-list-element
    init?(_ value: ArraySlice<UInt8>) {
        self.init(rawValue: 0)
        if value.equalsIgnoringCase("NEVER") { return }
        for word in value.split(separator: 0x2C, omittingEmptySubsequences: false) {
            if word.equalsIgnoringCase("SUCCESS") {
                insert(.success)
            } else if word.equalsIgnoringCase("FAILURE") {
                insert(.failure)
            } else if word.equalsIgnoringCase("DELAY") {
                insert(.delay)
            } else {
                return nil
            }
        }
    }
}
