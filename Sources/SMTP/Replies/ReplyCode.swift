/// The three digits of a reply.
///
/// RFC 5321 §4.2.2, §4.2.3
package enum ReplyCode: UInt16, CaseIterable, Sendable {
    case help = 214
    case ready = 220
    case closing = 221
    case authenticated = 235
    case ok = 250
    case cannotVerify = 252
    case continueAuthentication = 334
    case startMailInput = 354
    case unavailable = 421
    case localError = 451
    case insufficientStorage = 452
    case temporaryAuthenticationFailure = 454
    case syntaxError = 500
    case parameterSyntaxError = 501
    case notImplemented = 502
    case badSequence = 503
    case parameterNotImplemented = 504
    case authenticationRequired = 530
    case authenticationFailed = 535
    case encryptionRequired = 538
    case mailboxUnavailable = 550
    case storageExceeded = 552
    case mailboxNameNotAllowed = 553
    case transactionFailed = 554
    case parametersNotRecognized = 555

    /// 2, 3, 4 or 5: positive, intermediate, transient negative, permanent negative.
    package var classDigit: UInt8 { UInt8(truncatingIfNeeded: rawValue / 100) }
}
