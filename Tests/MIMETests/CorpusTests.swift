import Foundation
import MIME
import Testing

/// Messages that we did not write: those of `../shared/data` beside the package, where it stands.
@Suite struct CorpusTests {
    @Test("real and broken mail has sections that agree with its structure")
    func corpus() throws {
        let files = Corpus.files()
        if files.isEmpty { return print("skipped: no ../shared/data beside the package") }
        for file in files {
            let bytes = [UInt8](try Data(contentsOf: file))
            try MessageChecks.run(bytes, file.lastPathComponent)
            try MessageChecks.run(Golden.withCRLF(bytes), file.lastPathComponent)
        }
    }

    @Test("a message cut off anywhere still has a structure")
    func truncated() throws {
        for file in Golden.files() {
            let content = [UInt8](try Data(contentsOf: Golden.folder.appending(path: file)))
            let (input, _) = try #require(Golden.split(content))
            let message = Golden.withCRLF(input)
            for count in 0...message.count {
                try MessageChecks.run(Array(message[..<count]), "\(file) cut at \(count)")
            }
        }
    }

    @Test("sound mail has the parts that Python's email package finds")
    func judge() throws {
        let files = Corpus.files()
        if files.isEmpty { return print("skipped: no ../shared/data beside the package") }
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "judge.py")
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = [script.path] + files.map(\.path)
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)

        var judged = 0
        for line in String(decoding: output, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: String(fields[0]))))
            let ours = Corpus.parts(of: Message(bytes)).joined(separator: " ")
            #expect(ours == String(fields[1]), "\(fields[0])")
            judged += 1
        }
        #expect(judged > 500)
    }
}

enum Corpus {
    private static let notices = ["README.md", "MIT.txt", "Apache-2.0.txt"]

    static func files() -> [URL] {
        let shared = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "../shared/data").standardizedFileURL
        return ["mime", "mail"].flatMap { folder in
            let found = FileManager.default.enumerator(
                at: shared.appending(path: folder).resolvingSymlinksInPath(),
                includingPropertiesForKeys: nil
            )
            return (found?.compactMap { $0 as? URL } ?? []).filter {
                !$0.hasDirectoryPath && !notices.contains($0.lastPathComponent)
            }
        }.sorted { $0.path < $1.path }
    }

    /// As `judge.py` writes them: depth, type, and the decoded size of a leaf.
    static func parts(of message: Message) -> [String] {
        var lines: [String] = []
        func visit(_ index: Int, _ depth: Int) {
            let part = message.parts[index]
            let type = "\(part.mediaType.type)/\(part.mediaType.subtype)".lowercased()
            switch part.content {
            case .leaf: lines.append("\(depth):\(type)")
            case .message(let inner):
                lines.append("\(depth):\(type)")
                visit(inner, depth + 1)
            case .multipart(let children):
                lines.append("\(depth):\(type)")
                for child in children { visit(child, depth + 1) }
            }
        }
        visit(0, 0)
        return lines
    }
}
