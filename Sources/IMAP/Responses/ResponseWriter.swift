package import Mail
import Wire

/// Writes responses into one growing buffer, which the session sends when it suits.
///
/// RFC 9051 §7
package struct ResponseWriter: Sendable {
    package var bytes: [UInt8] = []
    package var encoding = MailboxNameEncoding.modifiedUTF7

    package init() {}

    /// Takes what has been written, leaving nothing.
    package mutating func drain() -> [UInt8] {
        let written = bytes
        bytes = []
        return written
    }

    // MARK: Status responses

    /// Writes `tag OK [CODE] text`.
    package mutating func tagged(
        _ tag: String,
        _ condition: Condition,
        _ code: ResponseCode? = nil,
        _ text: String
    ) {
        bytes.append(text: tag)
        status(condition, code, text)
    }

    /// Writes `* OK [CODE] text`.
    package mutating func untagged(
        _ condition: Condition,
        _ code: ResponseCode? = nil,
        _ text: String
    ) {
        bytes.append(0x2A)
        status(condition, code, text)
    }

    /// Says why the connection ends.
    package mutating func bye(_ code: ResponseCode? = nil, _ text: String) {
        bytes.append("* BYE ")
        tail(code, text)
    }

    package mutating func refuse(_ refusal: Refusal) {
        bytes.append(text: refusal.tag ?? "*")
        status(refusal.condition, refusal.code, refusal.text)
    }

    /// Writes `+ text`.
    package mutating func continuation(_ text: some Collection<UInt8> = []) {
        bytes.append("+ ")
        bytes.append(contentsOf: text)
        bytes.appendCRLF()
    }

    private mutating func status(_ condition: Condition, _ code: ResponseCode?, _ text: String) {
        switch condition {
        case .ok: bytes.append(" OK ")
        case .no: bytes.append(" NO ")
        case .bad: bytes.append(" BAD ")
        }
        tail(code, text)
    }

    private mutating func tail(_ code: ResponseCode?, _ text: String) {
        if let code {
            bytes.append(code)
            bytes.append(.space)
        }
        bytes.append(text: text)
        bytes.appendCRLF()
    }

    // MARK: Server state

    package mutating func capability(_ words: [Capability]) {
        bytes.append("* CAPABILITY")
        bytes.append(words)
        bytes.appendCRLF()
    }

    /// Tells what ENABLE has switched on.
    ///
    /// RFC 5161 §3.2
    package mutating func enabled(_ words: [String]) {
        bytes.append("* ENABLED")
        for word in words {
            bytes.append(.space)
            bytes.append(text: word)
        }
        bytes.appendCRLF()
    }

    /// Tells who the server is.
    ///
    /// RFC 2971 §3.2
    package mutating func id(_ fields: [IDField]) {
        bytes.append("* ID (")
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(.space) }
            bytes.append(string: field.name.utf8)
            bytes.append(.space)
            if let value = field.value {
                bytes.append(string: value.utf8)
            } else {
                bytes.append("NIL")
            }
        }
        bytes.append(0x29)
        bytes.appendCRLF()
    }

    // MARK: Mailbox size and messages gone

    package mutating func exists(_ count: Int) { numbered(count, " EXISTS") }
    package mutating func recent(_ count: Int) { numbered(count, " RECENT") }
    package mutating func expunge(_ number: UInt32) { numbered(Int(number), " EXPUNGE") }

    private mutating func numbered(_ number: Int, _ word: StaticString) {
        bytes.append("* ")
        bytes.append(decimal: number)
        bytes.append(word)
        bytes.appendCRLF()
    }

    /// Tells which UIDs are gone; nothing for none.
    ///
    /// RFC 7162 §3.2.10
    package mutating func vanished(_ uids: UIDSet, earlier: Bool) {
        guard !uids.isEmpty else { return }
        bytes.append(earlier ? "* VANISHED (EARLIER) " : "* VANISHED ")
        bytes.append(uids)
        bytes.appendCRLF()
    }

    /// The flags that exist in the mailbox.
    ///
    /// RFC 9051 §7.3.5
    package mutating func flags(_ flags: [Flag]) {
        bytes.append("* FLAGS (")
        for (index, flag) in flags.enumerated() {
            if index > 0 { bytes.append(.space) }
            bytes.append(text: flag.name)
        }
        bytes.append(0x29)
        bytes.appendCRLF()
    }
}

extension Array<UInt8> {
    /// Appends `set` as `1:3,7`.
    mutating func append(_ set: UIDSet) {
        for (index, range) in set.ranges.enumerated() {
            if index > 0 { append(0x2C) }
            append(decimal: range.lowerBound)
            if range.upperBound > range.lowerBound {
                append(0x3A)
                append(decimal: range.upperBound)
            }
        }
    }

    /// Appends a string in the shortest form the grammar allows: quoted, else a literal.
    ///
    /// RFC 9051 §4.3
    package mutating func append(string: some Collection<UInt8>) {
        let isQuotable =
            string.count <= 1_000
            && string.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
        guard isQuotable else { return append(literal: string) }
        quote(string)
    }

    /// Appends `string` between quotes; it must not hold CR, LF or NUL.
    mutating func quote(_ string: some Collection<UInt8>) {
        append(.doubleQuote)
        for byte in string {
            if byte == .doubleQuote || byte == .backslash { append(.backslash) }
            append(byte)
        }
        append(.doubleQuote)
    }

    /// Appends `{n}`, CR LF and the bytes.
    mutating func append(literal: some Collection<UInt8>) {
        append(0x7B)
        append(decimal: literal.count)
        append("}\r\n")
        append(contentsOf: literal)
    }

    /// Appends a mailbox name: an atom when it is one, else a string.
    package mutating func append(_ name: MailboxName, _ encoding: MailboxNameEncoding) {
        let wire = name.bytes(in: encoding)
        if !wire.isEmpty, wire.allSatisfy(Parser.isAtomByte), !wire.equalsIgnoringCase("NIL") {
            append(contentsOf: wire)
        } else if encoding == .utf8, wire.count <= 1_000,
            wire.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        {
            // RFC 9051 §9: a quoted string may hold UTF-8.
            quote(wire)
        } else {
            append(string: wire)
        }
    }
}
