import Wire

/// Message identifiers as fields hold them, without angle brackets.
///
/// RFC 5322 §3.6.4
enum MessageIDs {
    /// Octets of an identifier that we keep; a longer one is no identifier.
    static let maximumLength = 500

    /// The identifiers of a References or In-Reply-To value in order, at most `limit` of them.
    static func list(_ bytes: [UInt8], _ range: Range<Int>, limit: Int) -> [String] {
        var found: [String] = []
        var rest = bytes[range]
        while found.count < limit, let start = rest.firstIndex(ofByte: 0x3C) {
            rest = rest[(start + 1)...]
            guard let end = rest.firstIndex(where: { $0 == 0x3E || $0 == 0x3C }) else { break }
            if rest[end] == 0x3E, let id = identifier(rest[..<end]) {
                if !found.contains(id) { found.append(id) }
            }
            rest = rest[end...]
        }
        return found
    }

    /// The identifier of a Message-ID value; a value without angle brackets is taken whole.
    static func single(_ bytes: [UInt8], _ range: Range<Int>) -> String? {
        list(bytes, range, limit: 1).first ?? identifier(bytes[range])
    }

    private static func identifier(_ text: ArraySlice<UInt8>) -> String? {
        guard text.count <= 2 * maximumLength else { return nil }
        let id = text.filter { $0 > 0x20 && $0 != 0x7F }
        guard !id.isEmpty, id.count <= maximumLength else { return nil }
        return String(decoding: id, as: UTF8.self)
    }
}
