import Wire

/// The answers of clamd to the commands that we send.
///
/// clamd(8), section "commands"
enum ClamdAnswer {
    /// An answer, without the NUL that ends it, may be this long; a longer one is none.
    static let maximumBytes = 4_096

    /// The answer to INSTREAM: `stream: OK`, `stream: NAME FOUND` or `… ERROR`.
    static func verdict(_ answer: ArraySlice<UInt8>) -> EngineVerdict {
        if answer.elementsEqual("stream: OK".utf8) { return .clean }
        if answer.suffix(6).elementsEqual(" FOUND".utf8),
            answer.starts(with: "stream: ".utf8), answer.count > 14
        {
            return .infected(printable(answer.dropFirst(8).dropLast(6)))
        }
        if answer.suffix(5).elementsEqual("ERROR".utf8) {
            if answer.startsIgnoringCase(with: "INSTREAM size limit exceeded") {
                return .failed(.tooLarge)
            }
            return .failed(.error(printable(answer)))
        }
        return .failed(.unknownAnswer(printable(answer)))
    }

    /// Words of a peer as they may stand in a log line.
    static func printable(_ bytes: ArraySlice<UInt8>) -> String {
        let clean = bytes.prefix(200).map { (0x20...0x7E).contains($0) ? $0 : 0x3F }
        return String(decoding: clean, as: UTF8.self)
    }
}

/// Gathers one answer from what arrives.
struct ClamdAnswerReader {
    private var bytes: [UInt8] = []

    enum Progress: Equatable {
        case incomplete
        case answer([UInt8])
        /// More than one answer, or one that is too long.
        case garbage([UInt8])
    }

    mutating func feed(_ more: [UInt8]) -> Progress {
        bytes.append(contentsOf: more.prefix(ClamdAnswer.maximumBytes + 1))
        guard let end = bytes.firstIndex(ofByte: 0) else {
            return bytes.count > ClamdAnswer.maximumBytes ? .garbage(bytes) : .incomplete
        }
        guard end == bytes.count - 1 else { return .garbage(bytes) }
        return .answer(Array(bytes[..<end]))
    }

    /// Whether anything at all has arrived.
    var isEmpty: Bool { bytes.isEmpty }
}
