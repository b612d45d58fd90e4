import IMAP
import SASL

extension IMAPSession {
    /// What the server can do in this state.
    ///
    /// RFC 9051 §6.1.1
    var capabilities: [Capability] {
        authenticated == nil ? capabilitiesBeforeLogin : capabilitiesAfterLogin
    }

    mutating func capability() -> Completion {
        writer.capability(capabilities)
        return Completion(nil, "CAPABILITY completed")
    }

    /// True when a secret may cross this connection.
    var mayLogIn: Bool { connection.isSecure || cleartextLogin == .allowed }

    private var capabilitiesBeforeLogin: [Capability] {
        var words: [Capability] = [
            .imap4rev1, .imap4rev2, .literalMinus, .saslIR, .enable, .id, .idle,
        ]
        if !connection.isSecure, door.settings.tls != nil { words.append(.startTLS) }
        if mayLogIn {
            words += Mechanism.allCases.map { .authenticate($0.rawValue) }
        } else {
            words.append(.loginDisabled)
        }
        return words
    }

    private var capabilitiesAfterLogin: [Capability] {
        var words: [Capability] = [
            .imap4rev1, .imap4rev2, .literalPlus, .enable, .id, .idle, .namespace, .unselect,
            .children, .uidPlus, .move, .esearch, .searchRes, .listExtended, .listStatus,
            .statusSize, .specialUse, .createSpecialUse, .binary, .condstore, .qresync,
            .multiAppend, .appendLimit(door.settings.messageBytes), .quota, .quotaStorage,
            .quotaMessage,
        ]
        if !connection.isCompressed { words.append(.compressDeflate) }
        return words
    }
}
