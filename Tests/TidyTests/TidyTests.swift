import Foundation
import Testing

/// The rules of STYLE.md and ARCHITECTURE.md that no compiler keeps.
@Suite("Tidy")
struct TidyTests {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    struct SourceFile {
        let path: String
        let module: String
        let lines: [Substring]
    }

    static func sources() throws -> [SourceFile] {
        let folder = root.appendingPathComponent("Sources")
        var files: [SourceFile] = []
        let enumerator = try #require(FileManager.default.enumerator(atPath: folder.path))
        for case let path as String in enumerator where path.hasSuffix(".swift") {
            let text = try String(
                contentsOf: folder.appendingPathComponent(path),
                encoding: .utf8
            )
            files.append(
                SourceFile(
                    path: "Sources/\(path)",
                    module: String(path.prefix { $0 != "/" }),
                    lines: text.split(separator: "\n", omittingEmptySubsequences: false)
                )
            )
        }
        return files
    }

    /// Every file and line where `isOffence` holds, as `path:line`.
    static func offences(
        in files: [SourceFile],
        _ isOffence: (Substring, SourceFile) -> Bool
    ) -> [String] {
        files.flatMap { file in
            file.lines.enumerated().filter { isOffence($0.element, file) }
                .map { "\(file.path):\($0.offset + 1)" }
        }
    }

    static let floors: [Set<String>] = [
        ["Wire", "Net"], ["Mail", "MIME", "SMTP", "IMAP", "SASL"], ["DNS", "Database", "Blobs"],
        ["Journal", "Directory", "Filter", "Queue", "Store"], ["Transfer", "Access"],
        ["Node"], ["relais"],
    ]

    /// What a module may import on its own floor.
    static let neighbours: [String: Set<String>] = [
        "Net": ["Wire"], "MIME": ["Mail"], "SMTP": ["Mail"], "IMAP": ["Mail"],
        "Directory": ["Journal"], "Filter": ["Journal"], "Queue": ["Journal"],
        "Store": ["Journal"],
    ]

    @Test("A module imports lower floors, and on its own floor only what the plan allows")
    func floorsHold() throws {
        let levels = Dictionary(
            uniqueKeysWithValues: Self.floors.enumerated().flatMap { level, modules in
                modules.map { ($0, level) }
            }
        )
        let offences = Self.offences(in: try Self.sources()) { line, file in
            guard let level = levels[file.module], let imported = Self.importedModule(line),
                let other = levels[imported]
            else { return false }
            if other < level { return false }
            return !(other == level && Self.neighbours[file.module, default: []].contains(imported))
        }
        #expect(offences.isEmpty, "imports against the floors: \(offences)")
    }

    @Test("Only the room that owns a library imports it")
    func librariesHaveOneRoom() throws {
        let owners: [String: Set<String>] = [
            "NIOSSL": ["Net", "Bench"], "NIOPosix": ["Net", "Bench"], "GRDB": ["Database"],
            "CPostgreSQL": ["Database"], "CUnbound": ["DNS"], "TOMLKit": ["Node"],
            "CZstd": ["Store"], "CZlib": ["Net"], "ArgumentParser": ["relais", "relais-bench"],
        ]
        let offences = Self.offences(in: try Self.sources()) { line, file in
            guard let imported = Self.importedModule(line), let rooms = owners[imported] else {
                return false
            }
            return !rooms.contains(file.module)
        }
        #expect(offences.isEmpty, "imports of another room's library: \(offences)")
    }

    @Test("Grammar modules do not import Foundation")
    func grammarsArePure() throws {
        let pure: Set<String> = ["Wire", "Mail", "MIME", "SMTP", "IMAP", "SASL"]
        let offences = Self.offences(in: try Self.sources()) { line, file in
            pure.contains(file.module)
                && ["Foundation", "FoundationEssentials"].contains(Self.importedModule(line) ?? "")
        }
        #expect(offences.isEmpty, "Foundation in a grammar: \(offences)")
    }

    @Test(
        "No trap and no escape from checking stands in the sources",
        arguments: [
            "try!", "as! ", "fatalError(", "nonisolated(unsafe)", "@unchecked Sendable",
            "Task.detached", "DispatchQueue",
        ]
    )
    func noTraps(token: String) throws {
        let offences = Self.offences(in: try Self.sources()) { line, file in
            !file.module.hasPrefix("relais") && !Self.isComment(line) && line.contains(token)
        }
        #expect(offences.isEmpty, "\(token): \(offences)")
    }

    @Test("Nothing is left for later", arguments: ["TODO", "FIXME", "XXX", "HACK"])
    func nothingLeft(token: String) throws {
        let offences = Self.offences(in: try Self.sources()) { line, _ in
            Self.isComment(line) && line.contains(token)
        }
        #expect(offences.isEmpty, "\(token): \(offences)")
    }

    @Test("Every module has a folder of real files")
    func noPlaceholders() throws {
        let offences = try Self.sources().map(\.path).filter { $0.hasSuffix("Placeholder.swift") }
        #expect(offences.isEmpty)
    }

    @Test("Every RFC that the code cites is cited by section and listed in docs/rfcs.tsv")
    func citations() throws {
        let table = try String(
            contentsOf: Self.root.appendingPathComponent("docs/rfcs.tsv"),
            encoding: .utf8
        )
        let listed = Set(
            table.split(separator: "\n").dropFirst().compactMap { $0.split(separator: "\t").first }
        )
        let offences = Self.offences(in: try Self.sources()) { line, _ in
            guard Self.isComment(line) else { return false }
            return line.matches(of: /RFC (\d+)( §| Appendix)?/).contains { match in
                match.output.2 == nil || !listed.contains(match.output.1)
            }
        }
        #expect(offences.isEmpty, "bare or unlisted citations: \(offences)")
    }

    private static func isComment(_ line: Substring) -> Bool {
        line.drop { $0 == " " }.hasPrefix("//")
    }

    private static func importedModule(_ line: Substring) -> String? {
        var words = line.split(separator: " ")
        if let first = words.first, ["package", "public", "internal", "@testable"].contains(first) {
            words.removeFirst()
        }
        guard words.first == "import", words.count > 1 else { return nil }
        let name =
            ["struct", "class", "enum", "func"].contains(words[1]) && words.count > 2
            ? words[2] : words[1]
        return String(name.prefix { $0 != "." && $0 != ";" })
    }
}
