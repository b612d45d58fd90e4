package import Mail
import Wire

/// MAIL: opens a mail transaction.
///
/// RFC 5321 §4.1.1.2
package struct MailCommand: Equatable, Sendable {
    package let reversePath: ReversePath
    /// Octets of the message as the client counts them.
    ///
    /// RFC 1870 §3
    package private(set) var size: Int?
    package private(set) var body = BodyType.sevenBit
    package private(set) var usesSMTPUTF8 = false
    /// RET.
    ///
    /// RFC 3461 §4.3
    package private(set) var returnContent: DSNReturn?
    /// ENVID, decoded.
    ///
    /// RFC 3461 §4.4
    package private(set) var envelopeID: String?
    /// The identity in AUTH, decoded; `<>` for unknown.
    ///
    /// RFC 4954 §5
    package private(set) var submitter: String?

    /// Parses what follows the verb; the error is the reply that says what is wrong.
    init(_ arguments: ArraySlice<UInt8>, isExtended: Bool) throws(Refusal) {
        var cursor = Cursor(arguments)
        guard cursor.take("FROM:"), let path = Path.reverse(&cursor) else {
            throw Refusal(.pathSyntax)
        }
        reversePath = path
        guard let parameters = Parameters(&cursor) else { throw Refusal(.parameterSyntax) }
        guard isExtended || parameters.list.isEmpty else { throw Refusal(.parameterUnknown) }
        for parameter in parameters.list { try apply(parameter) }
        if case .address(let address) = path, address.needsSMTPUTF8, !usesSMTPUTF8 {
            throw Refusal(.needsSMTPUTF8)
        }
    }

    private mutating func apply(_ parameter: Parameters.Parameter) throws(Refusal) {
        let keyword = parameter.keyword
        if keyword.equalsIgnoringCase("SMTPUTF8") {
            guard parameter.value == nil else { throw Refusal(.parameterSyntax) }
            usesSMTPUTF8 = true
            return
        }
        let isKnown =
            keyword.equalsIgnoringCase("SIZE") || keyword.equalsIgnoringCase("BODY")
            || keyword.equalsIgnoringCase("RET") || keyword.equalsIgnoringCase("ENVID")
            || keyword.equalsIgnoringCase("AUTH")
        guard isKnown else { throw Refusal(.parameterUnknown) }
        guard let value = parameter.value else { throw Refusal(.parameterSyntax) }

        if keyword.equalsIgnoringCase("SIZE") {
            var cursor = Cursor(value)
            guard value.count <= 20, value.allSatisfy(\.isDigit) else {
                throw Refusal(.parameterSyntax)
            }
            // 20 digits may be more than any number holds: then it is more than any limit, too.
            size = cursor.takeNumber() ?? Int.max
        } else if keyword.equalsIgnoringCase("BODY") {
            guard let type = BodyType(value) else { throw Refusal(.parameterSyntax) }
            body = type
        } else if keyword.equalsIgnoringCase("RET") {
            guard let content = DSNReturn(value) else { throw Refusal(.parameterSyntax) }
            returnContent = content
        } else if keyword.equalsIgnoringCase("ENVID") {
            guard value.count <= Self.maximumEnvelopeID, let id = DSNText.decode(value) else {
                throw Refusal(.parameterSyntax)
            }
            envelopeID = id
        } else {
            guard let identity = DSNText.decode(value) else { throw Refusal(.parameterSyntax) }
            submitter = identity
        }
    }

    /// Characters of ENVID as sent.
    ///
    /// RFC 3461 §4.4
    static let maximumEnvelopeID = 100
}

/// What the octets of a message are.
///
/// RFC 6152 §2, RFC 3030 §3
package enum BodyType: Sendable {
    case sevenBit, eightBitMIME, binaryMIME

    init?(_ value: ArraySlice<UInt8>) {
        if value.equalsIgnoringCase("7BIT") {
            self = .sevenBit
        } else if value.equalsIgnoringCase("8BITMIME") {
            self = .eightBitMIME
        } else if value.equalsIgnoringCase("BINARYMIME") {
            self = .binaryMIME
        } else {
            return nil
        }
    }
}

/// How much of the message a failure notification brings back.
///
/// RFC 3461 §4.3
package enum DSNReturn: Sendable {
    case full, headers

    init?(_ value: ArraySlice<UInt8>) {
        if value.equalsIgnoringCase("FULL") {
            self = .full
        } else if value.equalsIgnoringCase("HDRS") {
            self = .headers
        } else {
            return nil
        }
    }
}

/// Why a command does not parse, as the reply that says so.
struct Refusal: Error {
    let reply: Reply

    init(_ reply: Reply) {
        self.reply = reply
    }
}

/// Parameter values that end in header fields of notifications: xtext of visible UTF-8.
enum DSNText {
    static func decode(_ value: ArraySlice<UInt8>) -> String? {
        guard let bytes = XText.decode(value), bytes.allSatisfy({ !$0.isControl }) else {
            return nil
        }
        return String(utf8: bytes)
    }
}
