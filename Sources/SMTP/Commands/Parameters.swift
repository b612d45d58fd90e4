import Wire

/// The ESMTP parameters at the end of MAIL and RCPT.
///
///     esmtp-param = esmtp-keyword ["=" esmtp-value]
///
/// RFC 5321 §4.1.2
struct Parameters {
    struct Parameter {
        let keyword: ArraySlice<UInt8>
        let value: ArraySlice<UInt8>?
    }

    let list: [Parameter]

    /// Nil when a parameter does not follow the grammar or comes twice.
    init?(_ cursor: inout Cursor) {
        var list: [Parameter] = []
        while !cursor.isAtEnd {
            guard !cursor.take(while: { $0.isBlank }).isEmpty else { return nil }
            if cursor.isAtEnd { break }
            let keyword = cursor.take { $0.isAlpha || $0.isDigit || $0 == 0x2D }
            guard let first = keyword.first, first != 0x2D, list.count < Self.maximumCount else {
                return nil
            }
            var value: ArraySlice<UInt8>?
            if cursor.take(0x3D) {
                let bytes = cursor.take { $0 > 0x20 && $0 != 0x3D && $0 != 0x7F }
                guard !bytes.isEmpty else { return nil }
                value = bytes
            }
            let name = keyword.map(\.lowercased)
            guard !list.contains(where: { $0.keyword.map(\.lowercased) == name }) else {
                return nil
            }
            list.append(Parameter(keyword: keyword, value: value))
        }
        self.list = list
    }

    /// Parameters of one command; no extension comes near.
    static let maximumCount = 16
}
