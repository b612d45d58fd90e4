import IMAP
import Wire

extension IMAPSession {
    /// IDLE: changes are told as they happen, until the client says DONE.
    ///
    /// RFC 9051 §6.3.13
    mutating func idle(tag: String) async throws(Refusal) -> Completion? {
        _ = try account()
        writer.continuation("idling".utf8)
        await tellChanges(.expungesAllowed)
        guard case .commands = phase else { return nil }
        phase = .idle(tag: tag)
        reader.expectLine()
        return nil
    }

    /// The client has sent a line while idle.
    mutating func idleEnded(by line: ArraySlice<UInt8>) async {
        guard case .idle(let tag) = phase else { return }
        phase = .commands
        await tellChanges(.expungesAllowed)
        guard case .commands = phase else { return }
        if line.equalsIgnoringCase("DONE") {
            writer.tagged(tag, .ok, nil, "IDLE completed")
        } else {
            writer.tagged(tag, .bad, nil, "Expected DONE")
        }
    }
}
