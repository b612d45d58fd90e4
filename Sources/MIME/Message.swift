/// A message taken apart: its parts and their header fields as ranges of its bytes.
///
/// RFC 2045 §2.6, RFC 2046 §5.1
package struct Message: Sendable {
    package let bytes: [UInt8]
    /// Every part, a parent before its children; the first is the message itself.
    package let parts: [Part]
    let fields: [IndexedField]
    package let limits: MIMELimits

    /// Takes a message apart; every sequence of bytes is one.
    package init(_ bytes: [UInt8], limits: MIMELimits = MIMELimits()) {
        var parser = MessageParser(bytes, limits: limits)
        parser.parse()
        self.bytes = bytes
        parts = parser.parts
        fields = parser.fields
        self.limits = limits
    }

    /// The message itself as a part.
    package var root: Part { parts.first ?? Part(header: 0..<0, bodyStart: 0, fieldsStart: 0) }

    /// The value of the first such field in the part's header, folded as it stands.
    package func value(_ field: KnownField, of part: Part) -> Range<Int>? {
        for i in part.fields where fields[i].field == field { return fields[i].value }
        return nil
    }

    /// The values of all such fields in the part's header.
    package func values(_ field: KnownField, of part: Part) -> [Range<Int>] {
        part.fields.compactMap { fields[$0].field == field ? fields[$0].value : nil }
    }

    /// How a part wants to be shown, where it says so.
    package func disposition(of part: Part) -> Disposition? {
        value(.contentDisposition, of: part).flatMap { Disposition(bytes, $0, limits: limits) }
    }

    /// The name under which a part wants to be saved.
    ///
    /// RFC 2183 §2.3
    package func fileName(of part: Part) -> String? {
        disposition(of: part)?.parameters.text("FILENAME")
            ?? part.mediaType.parameters.text("NAME")
    }
}

/// One part of a message: a header, and a body that is a leaf, parts or a message.
package struct Part: Sendable {
    package enum Content: Hashable, Sendable {
        case leaf
        /// The indexes of the parts, at least one.
        case multipart([Int])
        /// The index of the message inside.
        case message(Int)
    }

    /// The header with the empty line that ends it, where there is one.
    package internal(set) var header: Range<Int>
    /// The body as it was sent, without the line break that belongs to a boundary.
    package internal(set) var body: Range<Int>
    /// How many line feeds the body has.
    package internal(set) var lines = 0
    package internal(set) var mediaType = MediaType.plainText
    package internal(set) var encoding = TransferEncoding.sevenBit
    package internal(set) var content = Content.leaf
    var fields: Range<Int>

    init(header: Range<Int>, bodyStart: Int, fieldsStart: Int) {
        self.header = header
        body = bodyStart..<bodyStart
        fields = fieldsStart..<fieldsStart
    }
}
