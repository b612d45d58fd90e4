package import Mail
import Wire

/// One SMTP reply, as the client will read it.
///
/// The enhanced status keeps no class digit of its own: the class is the reply code's first digit,
/// so the two cannot disagree.
///
/// RFC 5321 §4.2, RFC 2034 §4
package struct Reply: Equatable, Sendable {
    package let code: ReplyCode
    /// Nil where none belongs: greeting, EHLO, 334 and 354.
    package let detail: StatusDetail?
    package let lines: [String]

    package init(_ code: ReplyCode, _ detail: StatusDetail?, _ text: String) {
        self.init(code, detail, lines: [text])
    }

    package init(_ code: ReplyCode, _ detail: StatusDetail?, lines: [String]) {
        self.code = code
        self.detail = detail
        self.lines = lines
    }

    /// The enhanced status with its class; nil for replies that carry none.
    package var status: EnhancedStatus? {
        guard let detail else { return nil }
        return EnhancedStatus(code.classDigit, detail.subject, detail.detail)
    }

    /// True for 4yz and 5yz.
    package var isNegative: Bool { code.classDigit >= 4 }

    /// True for 4yz: a later try may succeed.
    package var isTransient: Bool { code.classDigit == 4 }

    /// The reply as one line without CR LF, for the journal.
    package var summary: String {
        let status = status.map { " \($0)" } ?? ""
        return "\(code.rawValue)\(status) \(lines.joined(separator: " "))"
    }
}

extension Reply {
    /// Octets of a reply line with its CR LF.
    ///
    // RFC 5321 §4.5.3.1.5
    package static let maximumLine = 512

    /// Appends the wire form: each line with the code, a hyphen on all but the last.
    ///
    /// What is not printable ASCII becomes a question mark, and a line too long is cut, so that no
    /// text can break the dialogue.
    ///
    /// RFC 5321 §4.2.1
    package func encode(into output: inout [UInt8]) {
        for (index, line) in lines.enumerated() {
            let start = output.count
            output.append(decimal: code.rawValue)
            output.append(index == lines.count - 1 ? .space : 0x2D)
            if let status {
                output.append(text: status.description)
                output.append(.space)
            }
            let room = Self.maximumLine - 2 - (output.count - start)
            for byte in line.utf8.prefix(room) {
                output.append((0x20...0x7E).contains(byte) ? byte : 0x3F)
            }
            output.appendCRLF()
        }
    }
}

/// The second and third part of an enhanced status code.
///
/// RFC 3463 §3
package struct StatusDetail: Hashable, Sendable {
    package let subject: UInt16
    package let detail: UInt16

    package init(_ subject: UInt16, _ detail: UInt16) {
        self.subject = subject
        self.detail = detail
    }

    package static let other = StatusDetail(0, 0)
    package static let otherAddress = StatusDetail(1, 0)
    package static let badMailbox = StatusDetail(1, 1)
    package static let badMailboxSyntax = StatusDetail(1, 3)
    package static let validRecipient = StatusDetail(1, 5)
    package static let mailboxFull = StatusDetail(2, 2)
    package static let otherMailSystem = StatusDetail(3, 0)
    package static let systemFull = StatusDetail(3, 1)
    package static let notAcceptingMessages = StatusDetail(3, 2)
    package static let messageTooBig = StatusDetail(3, 4)
    package static let networkCongested = StatusDetail(4, 5)
    package static let badConnection = StatusDetail(4, 2)
    package static let routingLoop = StatusDetail(4, 6)
    package static let invalidCommand = StatusDetail(5, 1)
    package static let syntaxError = StatusDetail(5, 2)
    package static let tooManyRecipients = StatusDetail(5, 3)
    package static let invalidArguments = StatusDetail(5, 4)
    // RFC 4954 §6
    package static let authenticationLineTooLong = StatusDetail(5, 6)
    package static let otherMedia = StatusDetail(6, 0)
    // RFC 6531 §3.5
    package static let nonASCIIAddress = StatusDetail(6, 7)
    package static let otherSecurity = StatusDetail(7, 0)
    package static let notAuthorized = StatusDetail(7, 1)
    // RFC 4954 §6
    package static let credentialsInvalid = StatusDetail(7, 8)
    // RFC 4954 §6
    package static let encryptionNeeded = StatusDetail(7, 11)
}
