/// One SQL statement, with PostgreSQL's placeholders `$1`, `$2`, ….
///
/// A literal is prepared once per connection and kept. Hold statements in `static let`s, named for
/// what they do. Write BIGINT, TEXT and BLOB columns only; integers, text and blobs are all that
/// travels.
package struct Statement: Sendable {
    let sqlite: String
    let postgreSQL: String
    let isKept: Bool

    /// False when the statement may write: whatever does not begin with SELECT.
    let isSelect: Bool

    private init(sqlite: String, postgreSQL: String, isKept: Bool) {
        self.sqlite = sqlite.withNumberedQuestionMarks
        self.postgreSQL = postgreSQL
        self.isKept = isKept
        isSelect = sqlite.prefix(6).lowercased() == "select"
    }

    /// A statement whose text differs between the engines; only where that cannot be avoided.
    package init(sqlite: StaticString, postgreSQL: StaticString) {
        self.init(sqlite: "\(sqlite)", postgreSQL: "\(postgreSQL)", isKept: true)
    }

    /// A statement put together at run time, as for a list of columns; not kept prepared.
    ///
    /// Never put a value into the text: values are bound.
    package static func composed(_ sql: String) -> Statement {
        Statement(sqlite: sql, postgreSQL: sql, isKept: false)
    }
}

extension Statement: ExpressibleByStringLiteral {
    package init(stringLiteral sql: String) {
        self.init(sqlite: sql, postgreSQL: sql, isKept: true)
    }
}

extension String {
    /// The same SQL with every `$n` outside quotes as `?n`.
    ///
    /// SQLite would take `$2` for a name and number it by its first appearance.
    fileprivate var withNumberedQuestionMarks: String {
        guard utf8.contains(0x24) else { return self }
        var bytes = [UInt8](utf8)
        var quote: UInt8?
        for index in bytes.indices {
            let byte = bytes[index]
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == 0x27 || byte == 0x22 {
                quote = byte
            } else if byte == 0x24, index + 1 < bytes.count, bytes[index + 1] &- 0x30 < 10 {
                bytes[index] = 0x3F
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
