/// Names made from a number.
///
/// `u%04d@bench.test` gives `u0001@bench.test`, `u0002@bench.test` and so on.
package struct NamePattern: Sendable {
    private let before: String
    private let after: String
    private let digits: Int?

    /// Names that begin with `before`, go on with at least `digits` digits and end with `after`.
    package init(before: String, digits: Int, after: String) {
        self.before = before
        self.digits = digits
        self.after = after
    }

    /// Reads a text with at most one `%d` or `%0Nd`.
    package init?(parsing text: String) {
        guard let percent = text.firstIndex(of: "%") else {
            (before, after, digits) = (text, "", nil)
            return
        }
        before = String(text[..<percent])
        let rest = text[text.index(after: percent)...]
        guard let letter = rest.firstIndex(of: "d") else { return nil }
        let width = rest[..<letter]
        after = String(rest[rest.index(after: letter)...])
        guard width.allSatisfy({ $0.isASCII && $0.isNumber }), !after.contains("%") else {
            return nil
        }
        digits = Int(width) ?? 0
    }

    /// The name of `number`.
    package func name(_ number: Int) -> String {
        guard let digits else { return before }
        let text = String(number)
        return before + String(repeating: "0", count: max(0, digits - text.count)) + text + after
    }
}
