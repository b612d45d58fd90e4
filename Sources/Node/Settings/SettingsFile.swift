import TOMLKit
import Wire

/// One configuration file while it is being read: its text, the problems found, the keys described.
final class SettingsFile {
    let name: String
    let isReference: Bool
    private let lines: [Substring]
    private(set) var problems: [SettingsProblem] = []
    private(set) var descriptions: [SettingDescription] = []

    init(name: String, text: String, isReference: Bool = false) {
        self.name = name
        self.isReference = isReference
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    func describe(_ description: SettingDescription) {
        let known = descriptions.contains {
            $0.table == description.table && $0.key == description.key
        }
        if !known { descriptions.append(description) }
    }

    func complain(table: String, key: String, _ text: String) {
        problems.append(
            SettingsProblem(
                file: name,
                line: line(of: key, in: table) ?? line(of: table),
                text: text
            )
        )
    }

    /// The line of `key` below the header of `table`.
    ///
    /// TOMLKit does not tell where a value stands, so the text is searched: good enough for files
    /// that keep one key on a line, and nil otherwise.
    private func line(of key: String, in table: String) -> Int? {
        // `line(of:)` counts from 1, so it is also the index of the line after the header.
        let start = table.isEmpty ? 0 : (line(of: table) ?? lines.count)
        for index in start..<lines.count {
            let line = trim(lines[index])
            if line.hasPrefix("[") { break }
            guard let sign = line.firstIndex(of: "=") else { continue }
            let name = trim(line[..<sign])
            if name == key || name == "\"\(key)\"" { return index + 1 }
        }
        let path = table.isEmpty ? key : "\(table).\(key)"
        return line(of: path) ?? line(of: "[\(path)]")
    }

    /// The line of a table's header; `[listener]#2` is the third `[[listener]]`.
    private func line(of table: String) -> Int? {
        guard !table.isEmpty else { return nil }
        var header = "[\(table)]"
        var skip = 0
        if let mark = table.lastIndex(of: "#") {
            header = "[\(table[..<mark])]"
            skip = Int(table[table.index(after: mark)...]) ?? 0
        }
        for (index, line) in lines.enumerated() where trim(line).hasPrefix(header) {
            if skip == 0 { return index + 1 }
            skip -= 1
        }
        return nil
    }

    private func trim(_ text: Substring) -> Substring {
        var text = text
        while let first = text.utf8.first, first.isBlank || first == .cr { text.removeFirst() }
        while let last = text.utf8.last, last.isBlank || last == .cr { text.removeLast() }
        return text
    }
}
