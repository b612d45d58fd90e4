import Wire

/// What can be derived from a stored BODYSTRUCTURE.
package enum BodyStructure {
    /// BODY as IMAP writes it, from BODYSTRUCTURE as we write it.
    ///
    /// Extension data goes, all else stays as it is; nil for what is no body structure.
    ///
    /// RFC 9051 §7.5.2
    package static func withoutExtensions(_ structure: [UInt8]) -> [UInt8]? {
        var reader = StructureReader(structure)
        return reader.body(depth: 0) ? reader.output : nil
    }
}

/// Copies a body structure up to where extension data begins.
private struct StructureReader {
    private var cursor: Cursor
    private(set) var output: [UInt8] = []
    private static let open: UInt8 = 0x28
    private static let close: UInt8 = 0x29
    /// More than any limit of parts inside one another that a message was parsed with.
    private static let maximumDepth = 200

    init(_ bytes: [UInt8]) {
        cursor = Cursor(bytes)
        output.reserveCapacity(bytes.count)
    }

    mutating func body(depth: Int) -> Bool {
        guard depth < Self.maximumDepth, cursor.take(Self.open) else { return false }
        output.append(Self.open)
        guard cursor.peek == Self.open ? multipart(depth: depth) : leaf(depth: depth) else {
            return false
        }
        output.append(Self.close)
        while !cursor.take(Self.close) {
            guard cursor.take(.space), skipValue() != nil else { return false }
        }
        return true
    }

    private mutating func multipart(depth: Int) -> Bool {
        while cursor.peek == Self.open {
            guard body(depth: depth + 1) else { return false }
        }
        return copyValue(after: .space) != nil
    }

    private mutating func leaf(depth: Int) -> Bool {
        guard let type = copyValue(), let subtype = copyValue(after: .space) else { return false }
        // Parameters, id, description, encoding, octets.
        for _ in 0..<5 where copyValue(after: .space) == nil { return false }
        if type.elementsEqual("\"MESSAGE\"".utf8),
            subtype.elementsEqual("\"RFC822\"".utf8) || subtype.elementsEqual("\"GLOBAL\"".utf8)
        {
            guard copyValue(after: .space) != nil, cursor.take(.space) else { return false }
            output.append(.space)
            guard body(depth: depth + 1) else { return false }
            return copyValue(after: .space) != nil
        }
        return type.elementsEqual("\"TEXT\"".utf8) ? copyValue(after: .space) != nil : true
    }

    private mutating func copyValue(after byte: UInt8? = nil) -> ArraySlice<UInt8>? {
        if let byte {
            guard cursor.take(byte) else { return nil }
            output.append(byte)
        }
        guard let value = skipValue() else { return nil }
        output.append(contentsOf: value)
        return value
    }

    // Takes a string, a literal, an atom or a list with all that is in it.
    private mutating func skipValue() -> ArraySlice<UInt8>? {
        let start = cursor.rest
        var depth = 0
        repeat {
            switch cursor.peek {
            case nil: return nil
            case Self.open:
                _ = cursor.next()
                depth += 1
            case Self.close:
                guard depth > 0 else { return nil }
                _ = cursor.next()
                depth -= 1
            case .space where depth > 0:
                _ = cursor.next()
            case .doubleQuote:
                guard skipQuoted() else { return nil }
            case 0x7B:
                guard skipLiteral() else { return nil }
            default:
                let atom = cursor.take { $0.isAlpha || $0.isDigit }
                if atom.isEmpty { return nil }
            }
        } while depth > 0
        return start[..<cursor.position]
    }

    private mutating func skipQuoted() -> Bool {
        _ = cursor.next()
        while let byte = cursor.next() {
            if byte == .doubleQuote { return true }
            if byte == .backslash { _ = cursor.next() }
        }
        return false
    }

    private mutating func skipLiteral() -> Bool {
        _ = cursor.next()
        guard let count = cursor.takeNumber(Int.self), cursor.take("}\r\n") else { return false }
        return cursor.take(count: count) != nil
    }
}
