import NIOCore
import Wire

/// How a command ended, and what came before its end.
struct IMAPResponse: Sendable {
    enum Status: Sendable {
        case ok
        case no
        case bad
        /// The connection ended before the command did.
        case lost
    }

    var status: Status
    /// The tagged line, without its end.
    var line: [UInt8]
    /// FETCH responses since the command was sent or the one before it ended.
    var fetches: Int
    /// Bytes received in that time.
    var bytes: Int
    /// The untagged responses other than FETCH, each as its first line.
    var untagged: [[UInt8]]
    /// When the command was sent.
    var start: NIODeadline

    var text: String { String(lossyUTF8: line) }

    /// The number of `* number EXISTS`.
    var exists: Int? {
        untagged.lazy.compactMap { line -> Int? in
            var cursor = Cursor(line)
            guard cursor.take("* "), let number = cursor.takeNumber(Int.self) else { return nil }
            return cursor.take(" EXISTS") ? number : nil
        }
        .last
    }

    /// The number of `MESSAGES` in a STATUS response.
    var statusMessages: Int? {
        for line in untagged where line.startsIgnoringCase(with: "* STATUS ") {
            var cursor = Cursor(line)
            while cursor.peek != nil {
                if cursor.take("MESSAGES ") { return cursor.takeNumber(Int.self) }
                _ = cursor.next()
            }
        }
        return nil
    }

    /// True when a CAPABILITY response or code lists `name`.
    func announces(_ name: StaticString) -> Bool {
        (untagged + [line]).contains { line in
            line.split(whereSeparator: { $0 == .space || $0 == 0x5B || $0 == 0x5D })
                .contains { $0.equalsIgnoringCase(name) }
        }
    }
}
