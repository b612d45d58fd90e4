package import Mail
import Wire

/// APPEND with one message or, by MULTIAPPEND, several.
///
/// RFC 9051 §6.3.12, RFC 3502 §6.3.11, RFC 3516 §4.4
package struct AppendCommand: Equatable, Sendable {
    package struct Message: Equatable, Sendable {
        package var flags: [Flag] = []
        /// Unix seconds; nil for now.
        package var internalDate: Int64?
        /// Sent as `literal8`, so that NUL is allowed.
        package var isBinary = false
        package var bytes: [UInt8] = []
    }

    package let mailbox: MailboxName
    package let messages: [Message]

    init(parsing parser: inout Parser) throws(Refusal) {
        mailbox = try parser.spacedMailbox()
        var messages: [Message] = []
        repeat {
            try parser.space()
            messages.append(try parser.appendMessage())
        } while parser.peek == .space
        self.messages = messages
    }
}

extension Parser {
    /// `append-message`, whose literal stands beside the text.
    fileprivate mutating func appendMessage() throws(Refusal) -> AppendCommand.Message {
        var message = AppendCommand.Message()
        if peek == Punctuation.open.rawValue {
            message.flags = try appendFlags()
            try space()
        }
        if peek == .doubleQuote {
            message.internalDate = try dateTime()
            try space()
        }
        message.isBinary = take(.tilde)
        let size = try literalSize()
        guard let bytes = messages.popFirst(), bytes.count == size else {
            throw .bad("Syntax error in APPEND")
        }
        message.bytes = bytes
        return message
    }

    /// `\Recent` is ignored here: clients copy it from FETCH.
    private mutating func appendFlags() throws(Refusal) -> [Flag] {
        var flags: [Flag] = []
        try list { (parser) throws(Refusal) in
            if parser.takeWord("\\Recent") { return }
            flags.append(try parser.flag())
        }
        return flags
    }
}
