import Wire

/// Which piece of a part is meant.
///
/// RFC 9051 §6.4.5: `section-text`
package enum SectionText: Hashable, Sendable {
    case header
    case headerFields([String])
    case headerFieldsNot([String])
    case text
    case mime
}

/// The octets of a section: a range of the message where they stand in one piece.
package enum SectionContent: Hashable, Sendable {
    case range(Range<Int>)
    case bytes([UInt8])

    package var count: Int {
        switch self {
        case .range(let range): range.count
        case .bytes(let bytes): bytes.count
        }
    }
}

/// What BINARY gives for a part.
///
/// RFC 3516 §4.3
package enum BinaryContent: Hashable, Sendable {
    case range(Range<Int>)
    case bytes([UInt8])
    /// The part's transfer encoding is not one that we know.
    case unknownEncoding

    package var count: Int {
        switch self {
        case .range(let range): range.count
        case .bytes(let bytes): bytes.count
        case .unknownEncoding: 0
        }
    }
}

extension Message {
    /// The octets of `BODY[numbers.text]`; nil when the message has no such section.
    ///
    /// RFC 9051 §6.4.5
    package func section(_ numbers: [UInt32], _ text: SectionText? = nil) -> SectionContent? {
        guard let part = part(numbers) else { return nil }
        switch text {
        case nil:
            return .range(numbers.isEmpty ? 0..<bytes.count : part.body)
        case .mime:
            return numbers.isEmpty ? nil : .range(part.header)
        case .header, .text, .headerFields, .headerFieldsNot:
            guard let message = numbers.isEmpty ? part : inner(part) else { return nil }
            switch text {
            case .header: return .range(message.header)
            case .text: return .range(message.body)
            case .headerFields(let names):
                return .bytes(fields(of: message, named: names, included: true))
            case .headerFieldsNot(let names):
                return .bytes(fields(of: message, named: names, included: false))
            case .mime, nil: return nil
            }
        }
    }

    /// The octets of `BINARY[numbers]`; nil when the message has no such section.
    ///
    /// RFC 3516 §4.2, RFC 9051 §6.4.5.1
    package func binary(_ numbers: [UInt32]) -> BinaryContent? {
        guard let part = part(numbers) else { return nil }
        if numbers.isEmpty { return .range(0..<bytes.count) }
        guard case .leaf = part.content else { return .range(part.body) }
        switch part.encoding {
        case .sevenBit, .eightBit, .binary: return .range(part.body)
        case .base64, .quotedPrintable, .unknown:
            return part.encoding.decode(bytes[part.body]).map { .bytes($0) } ?? .unknownEncoding
        }
    }

    /// Finds a part by its numbers; the message itself for none.
    ///
    /// A message that is no multipart has its body as part 1, and so has a message inside.
    ///
    /// RFC 9051 §6.4.5
    package func part(_ numbers: [UInt32]) -> Part? {
        guard var current = parts.first else { return nil }
        var isMessage = true
        for number in numbers {
            if !isMessage {
                switch current.content {
                case .message(let inner):
                    guard parts.indices.contains(inner) else { return nil }
                    current = parts[inner]
                case .multipart: break
                case .leaf: return nil
                }
            }
            isMessage = false
            if case .multipart(let children) = current.content {
                guard number >= 1, let offset = Int(exactly: number), offset <= children.count,
                    parts.indices.contains(children[offset - 1])
                else { return nil }
                current = parts[children[offset - 1]]
            } else if number != 1 {
                return nil
            }
        }
        return current
    }

    private func inner(_ part: Part) -> Part? {
        guard case .message(let index) = part.content, parts.indices.contains(index) else {
            return nil
        }
        return parts[index]
    }

    // The empty line is part of every header that is fetched.
    private func fields(of part: Part, named names: [String], included: Bool) -> [UInt8] {
        let wanted = Set(names.map { $0.utf8.map(\.lowercased) })
        var output: [UInt8] = []
        for field in HeaderFields(in: bytes, range: part.header) {
            let isNamed = wanted.contains(bytes[field.name].map(\.lowercased))
            guard isNamed == included else { continue }
            output.append(contentsOf: bytes[field.whole])
            if output.last != .lf { output.appendCRLF() }
        }
        output.appendCRLF()
        return output
    }
}
