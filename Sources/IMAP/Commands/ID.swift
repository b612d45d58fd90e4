import Wire

/// One field of ID, as in `"name" "mutt"`.
///
/// RFC 2971 §3.3
package struct IDField: Equatable, Sendable {
    package let name: String
    package let value: String?

    package init(_ name: String, _ value: String?) {
        self.name = name
        self.value = value
    }

    /// How many fields a client may send.
    package static let maximumCount = 30
}

extension Parser {
    /// Reads `id-params`.
    mutating func id() throws(Refusal) -> [IDField]? {
        try space()
        if takeWord("NIL") { return nil }
        var fields: [IDField] = []
        try list { (parser) throws(Refusal) in
            let name = String(lossyUTF8: try parser.string())
            try parser.space()
            let value = try parser.nstring()
            guard fields.count < IDField.maximumCount, name.utf8.count <= 30,
                value?.count ?? 0 <= 1_024
            else { throw .bad("Too much in ID") }
            fields.append(IDField(name, value.map { String(lossyUTF8: $0) }))
        }
        return fields
    }

    /// The words of ENABLE, in upper case.
    ///
    /// RFC 5161 §3.1
    mutating func enable() throws(Refusal) -> [String] {
        var words: [String] = []
        repeat { words.append(try spacedKeyword()) } while peek == .space
        return words
    }
}
