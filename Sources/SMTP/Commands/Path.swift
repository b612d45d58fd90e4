package import Mail
import Wire

/// A forward-path: an address, or the postmaster of this host.
///
/// RFC 5321 §4.1.1.3, §4.5.1
package enum ForwardPath: Hashable, Sendable {
    case address(EmailAddress)
    /// `<Postmaster>` without a domain.
    case postmaster
}

/// The paths of MAIL and RCPT.
///
///     Path = "<" [ A-d-l ":" ] Mailbox ">"
///
/// A source route is read and forgotten, as the standard asks. Blanks before the bracket are
/// tolerated: old clients send them and nothing hangs on it.
///
/// RFC 5321 §3.3, §4.1.2, Appendix C
enum Path {
    static func reverse(_ cursor: inout Cursor) -> ReversePath? {
        guard let inside = bracketed(&cursor) else { return nil }
        if inside.isEmpty { return .null }
        return mailbox(inside).map(ReversePath.address)
    }

    static func forward(_ cursor: inout Cursor) -> ForwardPath? {
        guard let inside = bracketed(&cursor) else { return nil }
        if inside.equalsIgnoringCase("postmaster") { return .postmaster }
        return mailbox(inside).map(ForwardPath.address)
    }

    // The bytes between "<" and the ">" that is not inside a quoted string.
    private static func bracketed(_ cursor: inout Cursor) -> ArraySlice<UInt8>? {
        _ = cursor.take { $0.isBlank }
        guard cursor.take(0x3C) else { return nil }
        let rest = cursor.rest
        var isQuoted = false
        var isEscaped = false
        for index in rest.indices {
            let byte = rest[index]
            if isEscaped {
                isEscaped = false
            } else if isQuoted, byte == .backslash {
                isEscaped = true
            } else if byte == .doubleQuote {
                isQuoted.toggle()
            } else if byte == 0x3E, !isQuoted {
                _ = cursor.take(count: index - rest.startIndex + 1)
                return rest[..<index]
            }
        }
        return nil
    }

    private static func mailbox(_ inside: ArraySlice<UInt8>) -> EmailAddress? {
        guard inside.first == 0x40 else { return EmailAddress(parsing: inside) }
        // A-d-l = At-domain *( "," At-domain )
        guard let colon = routeEnd(inside) else { return nil }
        return EmailAddress(parsing: inside[(colon + 1)...])
    }

    // A colon inside an address literal does not end the route.
    private static func routeEnd(_ inside: ArraySlice<UInt8>) -> Int? {
        var isLiteral = false
        for index in inside.indices {
            switch inside[index] {
            case 0x5B: isLiteral = true
            case 0x5D: isLiteral = false
            case 0x3A where !isLiteral: return index
            default: break
            }
        }
        return nil
    }
}
