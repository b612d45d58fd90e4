import Wire

/// A word of the CAPABILITY response.
///
/// RFC 9051 §7.2.2
package enum Capability: Hashable, Sendable {
    case imap4rev1, imap4rev2
    case appendLimit(Int)
    case authenticate(String)
    case binary, children, compressDeflate, condstore, createSpecialUse
    case enable, esearch, id, idle, listExtended, listStatus
    case literalMinus, literalPlus, loginDisabled, move, multiAppend, namespace
    case qresync, quota, quotaStorage, quotaMessage, quotaSet
    case saslIR, searchRes, specialUse, startTLS, statusSize, uidPlus, unselect

    package var word: String {
        switch self {
        case .imap4rev1: "IMAP4rev1"
        case .imap4rev2: "IMAP4rev2"
        case .appendLimit(let size): "APPENDLIMIT=\(size)"
        case .authenticate(let mechanism): "AUTH=\(mechanism)"
        case .binary: "BINARY"
        case .children: "CHILDREN"
        case .compressDeflate: "COMPRESS=DEFLATE"
        case .condstore: "CONDSTORE"
        case .createSpecialUse: "CREATE-SPECIAL-USE"
        case .enable: "ENABLE"
        case .esearch: "ESEARCH"
        case .id: "ID"
        case .idle: "IDLE"
        case .listExtended: "LIST-EXTENDED"
        case .listStatus: "LIST-STATUS"
        case .literalMinus: "LITERAL-"
        case .literalPlus: "LITERAL+"
        case .loginDisabled: "LOGINDISABLED"
        case .move: "MOVE"
        case .multiAppend: "MULTIAPPEND"
        case .namespace: "NAMESPACE"
        case .qresync: "QRESYNC"
        case .quota: "QUOTA"
        case .quotaStorage: "QUOTA=RES-STORAGE"
        case .quotaMessage: "QUOTA=RES-MESSAGE"
        case .quotaSet: "QUOTASET"
        case .saslIR: "SASL-IR"
        case .searchRes: "SEARCHRES"
        case .specialUse: "SPECIAL-USE"
        case .startTLS: "STARTTLS"
        case .statusSize: "STATUS=SIZE"
        case .uidPlus: "UIDPLUS"
        case .unselect: "UNSELECT"
        }
    }
}

extension Array<UInt8> {
    /// Appends each word with a space before it.
    mutating func append(_ capabilities: [Capability]) {
        for capability in capabilities {
            append(.space)
            append(text: capability.word)
        }
    }
}
