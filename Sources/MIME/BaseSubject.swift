import Wire

/// A subject without what replies and forwards put round it.
///
/// RFC 5256 §2.1
package struct BaseSubject: Hashable, Sendable {
    /// In the case it was written in; fold it to compare.
    package let text: String
    /// True when something of a reply or a forward was removed.
    package let isReplyOrForward: Bool

    /// Extracts the base of a subject field's value.
    package init(of value: ArraySlice<UInt8>) {
        // Long enough for any subject; removing blobs is quadratic in their number.
        let decoded = EncodedWord.utf8(value.prefix(2_000))
        var subject = Self.collapsed(decoded)[...]
        var found = false
        repeat {
            Self.removeTrailers(&subject, &found)
            while Self.removeLeader(&subject, &found) || Self.removeBlob(&subject) {}
        } while Self.unwrapForward(&subject, &found)
        text = String(decoding: subject, as: UTF8.self)
        isReplyOrForward = found
    }

    private static func collapsed(_ text: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        for byte in text {
            if Lexer.isBlank(byte) {
                if let last = output.last, last != .space { output.append(.space) }
            } else {
                output.append(byte)
            }
        }
        if output.last == .space { output.removeLast() }
        return output
    }

    //     subj-trailer = "(fwd)" / WSP
    private static func removeTrailers(_ subject: inout ArraySlice<UInt8>, _ found: inout Bool) {
        while true {
            if subject.last == .space {
                subject = subject.dropLast()
            } else if subject.suffix(5).equalsIgnoringCase("(fwd)") {
                subject = subject.dropLast(5)
                found = true
            } else {
                return
            }
        }
    }

    //     subj-leader = (*subj-blob subj-refwd) / WSP
    //     subj-refwd  = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
    private static func removeLeader(
        _ subject: inout ArraySlice<UInt8>,
        _ found: inout Bool
    ) -> Bool {
        if subject.first == .space {
            subject = subject.dropFirst()
            return true
        }
        var cursor = Cursor(subject)
        while takeBlob(&cursor) {}
        guard cursor.take("re") || cursor.take("fwd") || cursor.take("fw") else { return false }
        while cursor.take(.space) {}
        _ = takeBlob(&cursor)
        guard cursor.take(0x3A) else { return false }
        subject = cursor.rest
        found = true
        return true
    }

    private static func removeBlob(_ subject: inout ArraySlice<UInt8>) -> Bool {
        var cursor = Cursor(subject)
        guard takeBlob(&cursor), !cursor.isAtEnd else { return false }
        subject = cursor.rest
        return true
    }

    //     subj-blob = "[" *BLOBCHAR "]" *WSP
    private static func takeBlob(_ cursor: inout Cursor) -> Bool {
        var ahead = cursor
        guard ahead.take(0x5B) else { return false }
        _ = ahead.take { $0 != 0x5B && $0 != 0x5D }
        guard ahead.take(0x5D) else { return false }
        while ahead.take(.space) {}
        cursor = ahead
        return true
    }

    //     subj-fwd = subj-fwd-hdr subject subj-fwd-trl
    private static func unwrapForward(
        _ subject: inout ArraySlice<UInt8>,
        _ found: inout Bool
    ) -> Bool {
        guard subject.startsIgnoringCase(with: "[fwd:"), subject.last == 0x5D else { return false }
        subject = subject.dropFirst(5).dropLast()
        found = true
        return true
    }
}
