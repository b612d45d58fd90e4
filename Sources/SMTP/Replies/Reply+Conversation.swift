// The replies that the conversation gives by itself, whatever the door. Doors keep theirs in a
// table of their own.

extension Reply {
    /// RFC 5321 §4.1.1.10.
    static let closing = Reply(.closing, .other, "Goodbye")

    /// RFC 5321 §4.1.1.9.
    static let nothingDone = Reply(.ok, .other, "OK")

    /// RFC 5321 §4.1.1.5.
    static let transactionReset = Reply(.ok, .other, "Mail transaction cleared")

    /// 252 and never 250: an answer would tell strangers who is here.
    ///
    /// RFC 5321 §3.5.3, §7.3
    static let cannotVerify = Reply(.cannotVerify, .validRecipient, "Send mail and find out")

    /// RFC 5321 §4.1.1.7, §7.3.
    static let noLists = Reply(.notImplemented, .invalidCommand, "Lists are not expanded here")

    /// RFC 5321 §4.1.1.8.
    static let help = Reply(.help, .other, "See RFC 5321")

    /// RFC 5321 §4.1.1.4.
    static let startMailInput = Reply(.startMailInput, nil, "End data with <CR><LF>.<CR><LF>")

    /// RFC 3207 §4.
    static let startTLS = Reply(.ready, .other, "Go ahead")

    /// RFC 4954 §4.
    static let authenticated = Reply(.authenticated, .otherSecurity, "Authenticated")

    // MARK: Order of commands

    /// RFC 5321 §4.2.4.
    static let unknownCommand = Reply(.syntaxError, .invalidCommand, "Command not recognized")

    /// The door does not offer this command.
    ///
    /// RFC 5321 §4.2.4
    static let notOffered = Reply(.notImplemented, .invalidCommand, "Command not implemented")

    /// RFC 2033 §4.1.
    static let useLHLO = Reply(.syntaxError, .invalidCommand, "This is LMTP: say LHLO")

    /// RFC 5321 §4.1.4.
    static let helloFirst = Reply(.badSequence, .invalidCommand, "Say EHLO first")

    /// RFC 5321 §4.1.4.
    static let mailTwice = Reply(.badSequence, .invalidCommand, "A mail transaction is open")

    /// The command belongs inside a mail transaction, and none is open.
    ///
    /// RFC 5321 §4.1.4
    static let mailNeeded = Reply(.badSequence, .invalidCommand, "Need MAIL first")

    /// RFC 5321 §4.1.4.
    static let recipientNeeded = Reply(.badSequence, .invalidCommand, "Need RCPT first")

    /// Every RCPT was refused: 554, except in LMTP.
    ///
    /// RFC 5321 §3.3
    static let noValidRecipients = Reply(
        .transactionFailed,
        .invalidCommand,
        "No valid recipients"
    )

    /// 452 and not 552: the client may send the rest in another transaction.
    ///
    /// RFC 5321 §4.5.3.1.10
    package static let tooManyRecipients = Reply(
        .insufficientStorage,
        .tooManyRecipients,
        "Too many recipients"
    )

    /// DATA cannot carry a binary message.
    ///
    /// RFC 3030 §3
    static let binaryNeedsBDAT = Reply(
        .badSequence,
        .invalidCommand,
        "A BINARYMIME message comes by BDAT"
    )

    /// RFC 3030 §2.
    static let chunksBegun = Reply(
        .badSequence,
        .invalidCommand,
        "BDAT has begun: no DATA, no RCPT"
    )

    /// A chunk failed before, or there is no transaction: the octets were read and thrown away.
    ///
    /// RFC 3030 §2
    static let chunkOutOfOrder = Reply(.badSequence, .invalidCommand, "BDAT out of order")

    // MARK: Syntax

    /// RFC 5321 §4.5.3.1.9.
    static let lineTooLong = Reply(.syntaxError, .syntaxError, "Line too long")

    /// RFC 5321 §2.3.8.
    static let bareLineEnding = Reply(
        .syntaxError,
        .syntaxError,
        "Lines end in CR LF, and nowhere else"
    )

    /// RFC 5321 §4.1.1.1.
    static let helloSyntax = Reply(
        .parameterSyntaxError,
        .invalidArguments,
        "Need a domain name or an address literal"
    )

    /// RFC 5321 §4.2.4.
    static let argumentSyntax = Reply(
        .parameterSyntaxError,
        .invalidArguments,
        "Syntax error in arguments"
    )

    /// RFC 5321 §4.1.2.
    static let pathSyntax = Reply(
        .parameterSyntaxError,
        .badMailboxSyntax,
        "Syntax error in address"
    )

    /// RFC 5321 §4.1.1.11.
    static let parameterUnknown = Reply(
        .parametersNotRecognized,
        .invalidArguments,
        "Parameter not recognized"
    )

    /// A parameter of an extension that is given twice or with a value it cannot have.
    ///
    /// RFC 5321 §4.1.1.11
    static let parameterSyntax = Reply(
        .parameterSyntaxError,
        .invalidArguments,
        "Syntax error in parameters"
    )

    /// RFC 6531 §3.5.
    static let needsSMTPUTF8 = Reply(
        .mailboxNameNotAllowed,
        .nonASCIIAddress,
        "Non-ASCII addresses need SMTPUTF8"
    )

    // MARK: Size and content

    /// RFC 1870 §6.1, §6.3.
    package static let messageTooBig = Reply(
        .storageExceeded,
        .messageTooBig,
        "Message exceeds the size limit"
    )

    /// A line of the message ends in CR or LF alone, or is not a line at all.
    ///
    /// Such a message is how one mail is smuggled inside another: hosts that disagree on where it
    /// ends. It is refused whole.
    ///
    /// RFC 5321 §2.3.8, §4.1.1.4
    static let bareLineEndingInMessage = Reply(
        .mailboxUnavailable,
        .otherMedia,
        "Message has CR or LF that are not line endings"
    )

    /// RFC 5321 §4.5.2.
    static let nullInMessage = Reply(
        .mailboxUnavailable,
        .otherMedia,
        "Message has NUL octets but is not BINARYMIME"
    )

    /// RFC 5321 §4.5.3.1.6, §4.5.3.1.9.
    static let textLineTooLong = Reply(.syntaxError, .otherMedia, "Line too long")

    // MARK: Authentication and TLS

    /// RFC 3207 §4.2, RFC 5321 §4.1.4.
    static let nothingMayFollow = Reply(
        .badSequence,
        .invalidCommand,
        "Nothing may be sent after STARTTLS before the handshake"
    )

    /// RFC 3207 §4.
    static let alreadySecure = Reply(.badSequence, .invalidCommand, "TLS is already active")

    /// RFC 4954 §4.
    static let alreadyAuthenticated = Reply(
        .badSequence,
        .invalidCommand,
        "Already authenticated"
    )

    /// RFC 4954 §4: not during a mail transaction.
    static let authenticationTooLate = Reply(
        .badSequence,
        .invalidCommand,
        "No AUTH inside a mail transaction"
    )

    /// RFC 4954 §4, §6.
    static let encryptionRequired = Reply(
        .encryptionRequired,
        .encryptionNeeded,
        "Encryption required for authentication"
    )

    /// RFC 4954 §4.
    static let mechanismUnknown = Reply(
        .parameterNotImplemented,
        .invalidArguments,
        "Mechanism not offered"
    )

    /// RFC 4954 §4: the client sent `*`.
    static let authenticationCancelled = Reply(
        .parameterSyntaxError,
        .otherSecurity,
        "Authentication cancelled"
    )

    /// RFC 4954 §4.
    static let notBase64 = Reply(.parameterSyntaxError, .syntaxError, "Not base 64")

    /// RFC 4954 §4, §6.
    static let authenticationLineTooLong = Reply(
        .syntaxError,
        .authenticationLineTooLong,
        "Authentication line too long"
    )

    /// RFC 4954 §6.
    package static let credentialsInvalid = Reply(
        .authenticationFailed,
        .credentialsInvalid,
        "Authentication failed"
    )

    // MARK: The end

    /// RFC 5321 §3.8.
    static let tooManyErrors = Reply(.unavailable, .otherSecurity, "Too many errors")
}
