import IMAP
import Net

extension IMAPSession {
    /// STARTTLS: nothing said in clear counts afterwards.
    ///
    /// RFC 9051 §6.2.1
    mutating func startTLS(tag: String) async throws(Refusal) -> Completion? {
        guard let identity = door.settings.tls else { throw Refusal(.bad, nil, "TLS not offered") }
        guard !connection.isSecure else { throw Refusal(.bad, nil, "TLS is already active") }
        guard authenticated == nil else { throw Refusal(.bad, nil, "Already logged in") }
        guard !reader.hasInput else { return injected(tag) }
        writer.tagged(tag, .ok, nil, "Begin TLS negotiation now")
        do throws(NetError) {
            try await connection.startTLS(identity, saying: writer.drain())
        } catch .injectedPlaintext {
            return injected(tag)
        } catch {
            phase = .ending
            return nil
        }
        reader.discardInput()
        client = Client()
        return nil
    }

    private mutating func injected(_ tag: String) -> Completion? {
        writer.tagged(tag, .bad, nil, "Commands may not follow STARTTLS before TLS")
        writer.bye(.clientBug, "Bytes in clear after STARTTLS")
        phase = .ending
        return nil
    }

    /// COMPRESS: from the next byte on both directions are DEFLATE.
    ///
    /// RFC 4978 §3
    mutating func compress(_ mechanism: String, tag: String) async throws(Refusal) -> Completion? {
        _ = try account()
        guard mechanism == "DEFLATE" else { throw Refusal(.bad, nil, "Unknown compression") }
        guard !connection.isCompressed else {
            throw Refusal(.no, .compressionActive, "DEFLATE is already active")
        }
        guard !reader.hasInput else {
            throw Refusal(.bad, nil, "Commands may not follow COMPRESS before its response")
        }
        writer.tagged(tag, .ok, nil, "DEFLATE active")
        guard await flush() else { return nil }
        do throws(NetError) {
            try connection.startCompression()
        } catch {
            phase = .ending
        }
        return nil
    }
}
