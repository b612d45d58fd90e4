import IMAP

extension IMAPSession {
    /// NOOP: a chance to tell what has changed, as every command is.
    ///
    /// RFC 9051 §6.1.2
    func noop() -> Completion {
        Completion(nil, "NOOP completed")
    }

    /// CHECK of IMAP4rev1: everything is durable already.
    ///
    /// RFC 3501 §6.4.1
    func check() throws(Refusal) -> Completion {
        _ = try mailbox()
        return Completion(nil, "CHECK completed")
    }

    /// LOGOUT: says good-bye.
    ///
    /// RFC 9051 §6.1.3
    mutating func logout() -> Completion {
        writer.bye(nil, "Logging out")
        phase = .ending
        return Completion(nil, "LOGOUT completed")
    }

    /// ID: the name and nothing that would help an attacker.
    ///
    /// RFC 2971 §3.1
    mutating func id(_ fields: [IDField]?) -> Completion {
        writer.id([IDField("name", "Relais")])
        return Completion(nil, "ID completed")
    }

    /// ENABLE: what is not known is left out of the answer.
    ///
    /// RFC 5161 §3.1, RFC 9051 §6.3.1
    mutating func enable(_ words: [String]) throws(Refusal) -> Completion {
        _ = try account()
        var enabled: [String] = []
        for word in words {
            switch word {
            case "CONDSTORE":
                useCondstore()
                enabled.append("CONDSTORE")
            case "QRESYNC":
                // RFC 7162 §3.2.3: QRESYNC brings CONDSTORE with it.
                useCondstore()
                client.usesQuickResync = true
                enabled.append("QRESYNC")
            case "IMAP4REV2":
                client.isRev2 = true
                writer.encoding = .utf8
                enabled.append("IMAP4rev2")
            default: break
            }
        }
        writer.enabled(enabled)
        return Completion(nil, "ENABLE completed")
    }

    /// NAMESPACE: the personal one; others come with shared mailboxes.
    ///
    /// RFC 9051 §6.3.10
    mutating func namespace() throws(Refusal) -> Completion {
        _ = try account()
        writer.namespace(personal: [""], others: [], shared: [])
        return Completion(nil, "NAMESPACE completed")
    }
}
