package import Mail
import Wire

/// What stands in brackets in a status response.
///
/// RFC 9051 §7.1, RFC 5530 §3, RFC 4315 §3, RFC 7162 §7, RFC 4978 §3, RFC 3516 §4.3, RFC 9208 §4.3
package enum ResponseCode: Hashable, Sendable {
    case alert
    case alreadyExists
    case appendUID(UIDValidity, UIDSet)
    case authenticationFailed
    case authorizationFailed
    case badCharset([String])
    case cannot
    case capability([Capability])
    case clientBug
    case closed
    case compressionActive
    case contactAdmin
    case copyUID(UIDValidity, source: UIDSet, destination: UIDSet)
    case corruption
    case expired
    case expungeIssued
    case hasChildren
    case highestModSeq(ModSeq)
    case inUse
    case limit
    case modified(UIDSet)
    case noModSeq
    case nonExistent
    case noPermission
    case notSaved
    case overQuota
    case parse
    /// The flags that can be kept, and whether new keywords can.
    case permanentFlags([Flag], newKeywords: Bool)
    case privacyRequired
    case readOnly
    case readWrite
    case serverBug
    case tooBig
    case tryCreate
    case uidNext(UInt32)
    case uidNotSticky
    case uidValidity(UIDValidity)
    case unavailable
    case unknownCTE
    case unseen(UInt32)
    case useAttr
}

extension Array<UInt8> {
    /// Appends a response code between its brackets.
    mutating func append(_ code: ResponseCode) {
        append(0x5B)
        appendBody(of: code)
        append(0x5D)
    }

    private mutating func appendBody(of code: ResponseCode) {
        switch code {
        case .appendUID(let validity, let uids):
            append("APPENDUID ")
            append(decimal: validity.rawValue)
            append(.space)
            append(uids)
        case .badCharset(let charsets):
            append("BADCHARSET (")
            append(text: charsets.joined(separator: " "))
            append(0x29)
        case .capability(let words):
            append("CAPABILITY")
            append(words)
        case .copyUID(let validity, let source, let destination):
            append("COPYUID ")
            append(decimal: validity.rawValue)
            append(.space)
            append(source)
            append(.space)
            append(destination)
        case .highestModSeq(let modSeq):
            append("HIGHESTMODSEQ ")
            append(decimal: modSeq.rawValue)
        case .modified(let set):
            append("MODIFIED ")
            append(set)
        case .permanentFlags(let flags, let newKeywords):
            append("PERMANENTFLAGS (")
            for (index, flag) in flags.enumerated() {
                if index > 0 { append(.space) }
                append(text: flag.name)
            }
            if newKeywords { append(flags.isEmpty ? "\\*" : " \\*") }
            append(0x29)
        case .uidNext(let uid):
            append("UIDNEXT ")
            append(decimal: uid)
        case .uidValidity(let validity):
            append("UIDVALIDITY ")
            append(decimal: validity.rawValue)
        case .unseen(let number):
            append("UNSEEN ")
            append(decimal: number)
        default:
            append(code.word)
        }
    }
}

extension ResponseCode {
    /// The codes without arguments.
    fileprivate var word: StaticString {
        switch self {
        case .alert: "ALERT"
        case .alreadyExists: "ALREADYEXISTS"
        case .authenticationFailed: "AUTHENTICATIONFAILED"
        case .authorizationFailed: "AUTHORIZATIONFAILED"
        case .cannot: "CANNOT"
        case .clientBug: "CLIENTBUG"
        case .closed: "CLOSED"
        case .compressionActive: "COMPRESSIONACTIVE"
        case .contactAdmin: "CONTACTADMIN"
        case .corruption: "CORRUPTION"
        case .expired: "EXPIRED"
        case .expungeIssued: "EXPUNGEISSUED"
        case .hasChildren: "HASCHILDREN"
        case .inUse: "INUSE"
        case .limit: "LIMIT"
        case .noModSeq: "NOMODSEQ"
        case .nonExistent: "NONEXISTENT"
        case .noPermission: "NOPERM"
        case .notSaved: "NOTSAVED"
        case .overQuota: "OVERQUOTA"
        case .parse: "PARSE"
        case .privacyRequired: "PRIVACYREQUIRED"
        case .readOnly: "READ-ONLY"
        case .readWrite: "READ-WRITE"
        case .serverBug: "SERVERBUG"
        case .tooBig: "TOOBIG"
        case .tryCreate: "TRYCREATE"
        case .uidNotSticky: "UIDNOTSTICKY"
        case .unavailable: "UNAVAILABLE"
        case .unknownCTE: "UNKNOWN-CTE"
        case .useAttr: "USEATTR"
        case .appendUID: "APPENDUID"
        case .badCharset: "BADCHARSET"
        case .capability: "CAPABILITY"
        case .copyUID: "COPYUID"
        case .highestModSeq: "HIGHESTMODSEQ"
        case .modified: "MODIFIED"
        case .permanentFlags: "PERMANENTFLAGS"
        case .uidNext: "UIDNEXT"
        case .uidValidity: "UIDVALIDITY"
        case .unseen: "UNSEEN"
        }
    }
}
