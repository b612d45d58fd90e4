import Wire

/// What a part says it holds.
///
/// RFC 2045 §5.1
package struct MediaType: Hashable, Sendable {
    /// In upper case, as in `TEXT`.
    package let type: String
    /// In upper case, as in `PLAIN`.
    package let subtype: String
    package let parameters: Parameters

    /// What a part without a usable Content-Type is.
    ///
    /// RFC 2045 §5.2
    package static let plainText = MediaType(
        type: "TEXT",
        subtype: "PLAIN",
        parameters: Parameters([Parameter(name: "CHARSET", value: [UInt8]("US-ASCII".utf8))])
    )

    /// What a part of a digest without a usable Content-Type is.
    ///
    /// RFC 2046 §5.1.5
    static let message = MediaType(type: "MESSAGE", subtype: "RFC822", parameters: Parameters())

    /// The same as a leaf of no known type, for a part that we do not look inside.
    var opaque: MediaType {
        MediaType(
            type: "APPLICATION",
            subtype: "OCTET-STREAM",
            parameters: Parameters(parameters.list.filter { $0.name != "BOUNDARY" })
        )
    }

    package var isText: Bool { type == "TEXT" }

    /// True for the two media types that hold a whole message.
    package var isMessage: Bool {
        type == "MESSAGE" && (subtype == "RFC822" || subtype == "GLOBAL")
    }

    init(type: String, subtype: String, parameters: Parameters) {
        self.type = type
        self.subtype = subtype
        self.parameters = parameters
    }

    /// Parses a field's value; nil when it has no type and subtype.
    init?(_ bytes: [UInt8], _ range: Range<Int>, limits: MIMELimits) {
        var lexer = Lexer(bytes, range)
        lexer.skipBlanksAndComments()
        let type = lexer.take { Lexer.isToken($0) }
        lexer.skipBlanksAndComments()
        guard !type.isEmpty, lexer.take(0x2F) else { return nil }
        lexer.skipBlanksAndComments()
        let subtype = lexer.take { Lexer.isToken($0) }
        guard !subtype.isEmpty else { return nil }
        _ = lexer.take { $0 != 0x3B && $0 != 0x28 }
        let parameters = Parameters(&lexer, limit: limits.parameters)
        self.type = String(decoding: bytes[type].prefix(127).map(\.uppercased), as: UTF8.self)
        self.subtype = String(
            decoding: bytes[subtype].prefix(127).map(\.uppercased),
            as: UTF8.self
        )
        let isPlainText = self.type == "TEXT" && self.subtype == "PLAIN"
        if isPlainText, parameters.raw("CHARSET") == nil {
            self.parameters = Parameters(Self.plainText.parameters.list + parameters.list)
        } else {
            self.parameters = parameters
        }
    }
}

/// How a part wants to be shown.
///
/// RFC 2183 §2
package struct Disposition: Hashable, Sendable {
    /// In upper case, as in `ATTACHMENT`.
    package let type: String
    package let parameters: Parameters

    /// Parses a field's value; nil when it has no type.
    init?(_ bytes: [UInt8], _ range: Range<Int>, limits: MIMELimits) {
        var lexer = Lexer(bytes, range)
        lexer.skipBlanksAndComments()
        let type = lexer.take { Lexer.isToken($0) }
        guard !type.isEmpty else { return nil }
        _ = lexer.take { $0 != 0x3B && $0 != 0x28 }
        parameters = Parameters(&lexer, limit: limits.parameters)
        self.type = String(decoding: bytes[type].prefix(127).map(\.uppercased), as: UTF8.self)
    }
}
