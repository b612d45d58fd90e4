import Wire

/// SETQUOTA: new limits for a quota root.
///
/// RFC 9208 §4.1.3
package struct SetQuotaCommand: Equatable, Sendable {
    package struct Limit: Equatable, Sendable {
        /// In upper case, as in STORAGE.
        package let resource: String
        package let limit: Int64
    }

    package let root: String
    package let limits: [Limit]

    init(parsing parser: inout Parser) throws(Refusal) {
        root = try parser.spacedText()
        try parser.space()
        var limits: [Limit] = []
        try parser.list { (parser) throws(Refusal) in
            let resource = try parser.keyword()
            try parser.space()
            limits.append(Limit(resource: resource, limit: try parser.number()))
        }
        self.limits = limits
    }
}
