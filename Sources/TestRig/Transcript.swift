import Foundation

/// A recorded dialogue between clients and a server, with what holds before and after.
///
/// The format, one statement a line:
///
///     # RFC 5321 §4.1.4: why this dialogue exists        a comment; the first line cites
///     given mailbox anna@example.org                     what the server starts with
///     S: 250 2.1.0 OK                                    the server says exactly this line
///     S~ 250 2\.0\.0 queued as $id                       a pattern; $id captures a word
///     S* 250                                             any lines, up to one that starts so
///     S? * 3 EXISTS                                      neighbouring S? lines, in any order
///     S! closed                                          the server ends the connection
///     C: RCPT TO:<anna@example.org>                      the client sends this line and CR LF
///     C! tls                                             the driver does something: tls, close
///     2C: NOOP                                           on a second connection, up to 9
///     then queue is empty                                a fact about the server, for the driver
///
/// In `C:`, `S:` and `S?` lines `\r`, `\n`, `\0`, `\\`, `\xHH` stand for bytes, `\{A*500}` for five
/// hundred `A`, and `$name` for what was captured (`$$` is a dollar sign). `\c` at the end of a
/// `C:` line sends no CR LF. A pattern is a regular expression that must match the whole line; a
/// name captured before must come again as it was.
package struct Transcript: Sendable {
    package let name: String
    package let givens: [String]
    package let steps: [TranscriptStep]

    /// Reads every transcript of a folder below `Tests/Transcripts`, in order of name.
    ///
    /// - Throws: when the folder is missing or empty, or a file does not follow the format.
    package static func all(in folder: String) throws -> [Transcript] {
        let directory = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Tests/Transcripts").appending(path: folder)
        let files = try FileManager.default.contentsOfDirectory(
            at: directory,
            includingPropertiesForKeys: nil
        ).sorted { $0.lastPathComponent < $1.lastPathComponent }
        guard !files.isEmpty else { throw TranscriptError.empty(folder) }
        return try files.map { file in
            try Transcript(
                parsing: String(contentsOf: file, encoding: .utf8),
                name: "\(folder)/\(file.lastPathComponent)"
            )
        }
    }
}

extension Transcript: CustomStringConvertible {
    package var description: String { name }
}

/// One statement of a transcript.
package struct TranscriptStep: Sendable {
    package enum Action: Sendable {
        case send([TranscriptPiece], endsLine: Bool)
        case line([TranscriptPiece])
        case anyOrder([TranscriptPiece])
        case pattern(String)
        case skip(upTo: [TranscriptPiece])
        case closed
        case perform(String)
        case check(String)
    }

    package let action: Action
    package let connection: Int
    /// Line number in the file, from 1.
    package let line: Int
}

/// A part of a line: bytes as written, or the value of a captured name.
package enum TranscriptPiece: Sendable {
    case bytes([UInt8])
    case capture(String)
}

/// What is wrong with a transcript file.
package enum TranscriptError: Error, CustomStringConvertible {
    case empty(String)
    case syntax(file: String, line: Int, reason: String)

    package var description: String {
        switch self {
        case .empty(let folder): "no transcript in \(folder)"
        case .syntax(let file, let line, let reason): "\(file):\(line): \(reason)"
        }
    }
}

/// How the client's bytes are cut into sends.
package enum Segmentation: CaseIterable, Sendable {
    /// Consecutive `C:` lines in one send.
    case whole
    /// Each `C:` line in a send of its own.
    case byLine
    /// Each byte in a send of its own.
    case byByte
}
