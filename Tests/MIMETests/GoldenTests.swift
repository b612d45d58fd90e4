import Foundation
import MIME
import Testing

/// Each file under `Golden/mime` is a message, ten hyphens, and what we make of it.
///
/// Lines of the message end in CR LF when it is parsed, except in files named `bare-…`.
/// `UPDATE_GOLDEN=1` writes the expectations anew; read the difference.
@Suite struct GoldenTests {
    @Test("ugly mail has the structure that is on file", arguments: Golden.files())
    func structure(name: String) throws {
        let file = Golden.folder.appending(path: name)
        let content = [UInt8](try Data(contentsOf: file))
        let (input, expected) = try #require(Golden.split(content), "\(name) has no separator")
        let message = name.hasPrefix("bare-") ? input : Golden.withCRLF(input)
        let actual = Golden.describe(message)
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
            try Data(input + Golden.separator + [UInt8](actual.utf8)).write(to: file)
        } else {
            #expect(actual == String(decoding: expected, as: UTF8.self))
        }
    }

    @Test("there are golden files")
    func some() {
        #expect(Golden.files().count > 20)
    }
}

enum Golden {
    static let separator = [UInt8]("----------\n".utf8)

    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Golden/mime")

    static func files() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".golden") }.sorted()
    }

    static func split(_ content: [UInt8]) -> ([UInt8], [UInt8])? {
        guard let range = content.firstRange(of: separator) else { return nil }
        return (Array(content[..<range.lowerBound]), Array(content[range.upperBound...]))
    }

    static func withCRLF(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
    }

    static func describe(_ bytes: [UInt8]) -> String {
        let summary = DeliverySummary(of: bytes)
        return """
            envelope: \(printable(summary.envelope))
            structure: \(printable(summary.bodyStructure))
            preview: \(summary.preview)
            message-id: \(summary.messageID ?? "none")
            references: \(summary.references.joined(separator: " "))
            base subject: \(summary.baseSubject.text)
            reply or forward: \(summary.baseSubject.isReplyOrForward)
            date: \(summary.sentDate?.text ?? "none")
            attachment: \(summary.hasAttachment)

            """
    }

    /// UTF-8 as it is, everything else as an escape.
    private static func printable(_ bytes: [UInt8]) -> String {
        var output = ""
        for byte in bytes.map({ $0 }) {
            switch byte {
            case 0x0D: output += "\\r"
            case 0x0A: output += "\\n"
            case 0x20...0x7E: output.unicodeScalars.append(Unicode.Scalar(byte))
            default: output += "\\x" + String(byte, radix: 16, uppercase: true)
            }
        }
        return output
    }
}
