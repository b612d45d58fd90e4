import TOMLKit

/// One thing wrong with a configuration file, with the line where it stands.
package struct SettingsProblem: Error, Equatable, CustomStringConvertible {
    package let file: String
    /// Counted from 1; nil when the problem is something that is missing altogether.
    package let line: Int?
    package let text: String

    package var description: String {
        line.map { "\(file):\($0): \(text)" } ?? "\(file): \(text)"
    }
}

/// What one key is, for the reference page.
struct SettingDescription: Equatable {
    let table: String
    let key: String
    let type: String
    let defaultValue: String
    let text: String
}

/// Reads one table of the file strictly: every key asked for is described, every key not asked for
/// is an error.
///
/// The same calls serve two ends: reading a file, and (on an empty table) writing the reference.
final class SettingsReader {
    private let table: TOMLTable
    private let path: String
    private let file: SettingsFile
    private var known: Set<String> = []

    init(_ table: TOMLTable, path: String, file: SettingsFile) {
        self.table = table
        self.path = path
        self.file = file
    }

    func string(_ key: String, default value: String, _ text: String) -> String {
        describe(key, "string", value.isEmpty ? "none" : "\"\(value)\"", text)
        return read(key, "a string") { $0.string } ?? value
    }

    func optionalString(_ key: String, _ text: String) -> String? {
        describe(key, "string", "none", text)
        return read(key, "a string") { $0.string }
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String,
        default value: Choice,
        _ text: String
    ) -> Choice where Choice.RawValue == String {
        let names = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        describe(key, names, "\"\(value.rawValue)\"", text)
        guard let name = read(key, "a string", { $0.string }) else { return value }
        guard let choice = Choice(rawValue: name) else {
            complain(key, "\(key) must be one of \(names), not \"\(name)\"")
            return value
        }
        return choice
    }

    func flag(_ key: String, default value: Bool, _ text: String) -> Bool {
        describe(key, "true or false", "\(value)", text)
        return read(key, "true or false") { $0.bool } ?? value
    }

    func integer(
        _ key: String,
        default value: Int,
        in range: ClosedRange<Int>,
        _ text: String
    )
        -> Int
    {
        describe(
            key,
            "integer, \(range.lowerBound) to \(range.upperBound)",
            "\(value)",
            text
        )
        guard let number = read(key, "an integer", { $0.int }) else { return value }
        guard range.contains(number) else {
            complain(
                key,
                "\(key) must be from \(range.lowerBound) to \(range.upperBound), not \(number)"
            )
            return value
        }
        return number
    }

    func strings(_ key: String, default value: [String], _ text: String) -> [String] {
        let shown = value.map { "\"\($0)\"" }.joined(separator: ", ")
        describe(key, "array of strings", "[\(shown)]", text)
        return array(key, "an array of strings") { $0.string } ?? value
    }

    func integers(
        _ key: String,
        default value: [Int],
        in range: ClosedRange<Int>,
        _ text: String
    )
        -> [Int]
    {
        let shown = value.map(String.init).joined(separator: ", ")
        describe(key, "array of integers", "[\(shown)]", text)
        guard let numbers = array(key, "an array of integers", { $0.int }) else { return value }
        guard numbers.allSatisfy(range.contains), !numbers.isEmpty else {
            complain(
                key,
                "\(key) needs at least one number, each from \(range.lowerBound) to \(range.upperBound)"
            )
            return value
        }
        return numbers
    }

    /// Reads a sub-table; an absent one is read as empty, so that defaults apply.
    func section<Section>(_ key: String, _ body: (SettingsReader) -> Section) -> Section {
        known.insert(key)
        let empty = TOMLTable()
        var found: TOMLTable?
        if let value = table[key] {
            found = value.table
            if found == nil { complain(key, "[\(key)] must be a table") }
        }
        let reader = SettingsReader(found ?? empty, path: childPath(key), file: file)
        let section = body(reader)
        reader.finish()
        return section
    }

    /// Reads an array of tables (`[[key]]`), none when absent.
    func sections<Section>(_ key: String, _ body: (SettingsReader) -> Section) -> [Section] {
        known.insert(key)
        if file.isReference {
            // One pass over an empty element, for its descriptions only.
            let reader = SettingsReader(TOMLTable(), path: "[\(childPath(key))]", file: file)
            _ = body(reader)
            return []
        }
        guard let value = table[key] else { return [] }
        guard let elements = value.array else {
            complain(key, "[[\(key)]] must be an array of tables")
            return []
        }
        var result: [Section] = []
        for index in 0..<elements.count {
            guard let element = elements[index].table else {
                complain(key, "[[\(key)]] must be an array of tables")
                continue
            }
            let reader = SettingsReader(
                element,
                path: "[\(childPath(key))]#\(index)",
                file: file
            )
            result.append(body(reader))
            reader.finish()
        }
        return result
    }

    /// Reports a problem with a value that was read well but makes no sense.
    func complain(_ key: String, _ text: String) {
        file.complain(table: path, key: key, text)
    }

    /// Reports something required that is not there.
    func require(_ key: String) {
        guard !file.isReference else { return }
        complain(key, "\(key) is required")
    }

    /// Every key that nobody asked for is an error.
    func finish() {
        for key in table.keys.sorted() where !known.contains(key) {
            let near = known.min { distance($0, key) < distance($1, key) }
            let hint = near.flatMap { distance($0, key) <= 3 ? "; did you mean \($0)?" : nil } ?? ""
            complain(key, "unknown key \(key)\(hint)")
        }
    }

    private func childPath(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    private func describe(_ key: String, _ type: String, _ value: String, _ text: String) {
        known.insert(key)
        file.describe(
            SettingDescription(table: path, key: key, type: type, defaultValue: value, text: text)
        )
    }

    private func read<Value>(
        _ key: String,
        _ what: String,
        _ convert: (any TOMLValueConvertible) -> Value?
    ) -> Value? {
        guard let value = table[key] else { return nil }
        guard let converted = convert(value) else {
            complain(key, "\(key) must be \(what)")
            return nil
        }
        return converted
    }

    private func array<Value>(
        _ key: String,
        _ what: String,
        _ convert: (any TOMLValueConvertible) -> Value?
    ) -> [Value]? {
        guard let value = table[key] else { return nil }
        guard let elements = value.array else {
            complain(key, "\(key) must be \(what)")
            return nil
        }
        var result: [Value] = []
        for index in 0..<elements.count {
            guard let converted = convert(elements[index]) else {
                complain(key, "\(key) must be \(what)")
                return nil
            }
            result.append(converted)
        }
        return result
    }
}

/// Levenshtein distance, for "did you mean".
private func distance(_ a: String, _ b: String) -> Int {
    let b = Array(b.utf8)
    var row = Array(0...b.count)
    for (i, x) in a.utf8.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, y) in b.enumerated() {
            let above = row[j + 1]
            row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
            diagonal = above
        }
    }
    return row[b.count]
}
