import Net
import Synchronization

/// Where a clamd listens.
package enum ClamdAddress: Hashable, Sendable {
    case unix(String)
    case tcp(host: String, port: UInt16)

    /// From `unix:/path`, `host:port` or `[2001:db8::1]:port`; nil when it is none of them.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            guard text.utf8.count > 5 else { return nil }
            self = .unix(String(text.dropFirst(5)))
            return
        }
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self = .tcp(host: String(host), port: port)
    }
}

/// ClamAV's daemon, asked over a socket of its own for each message.
///
/// The addresses are tried in order; one that did not answer is tried last for a while, so that a
/// dead machine costs its timeout once and not for every message.
///
/// clamd(8): INSTREAM
package final class ClamdEngine: ContentEngine {
    package let name: String
    private let addresses: [ClamdAddress]
    private let connectTimeout: Duration
    /// When an address that did not answer is trusted again, by its index.
    private let avoided = Mutex<[Int: ContinuousClock.Instant]>([:])

    /// Octets sent to clamd in one chunk.
    private static let chunkBytes = 131_072
    /// How long an address that did not answer is tried after the others.
    private static let avoidance = Duration.seconds(30)

    package init(
        name: String = "clamd",
        addresses: [ClamdAddress],
        connectTimeout: Duration = .seconds(5)
    ) {
        self.name = name
        self.addresses = addresses
        self.connectTimeout = connectTimeout
    }

    package func scan(_ message: [UInt8], within budget: Duration) async -> EngineVerdict {
        switch await ask("zINSTREAM\0", sending: message, within: budget) {
        case .success(let answer): ClamdAnswer.verdict(answer[...])
        case .failure(let failure): .failed(failure.reason)
        }
    }

    /// True when some clamd answers.
    package func ping(within budget: Duration = .seconds(5)) async -> Bool {
        guard case .success(let answer) = await ask("zPING\0", within: budget) else { return false }
        return answer.elementsEqual("PONG".utf8)
    }

    /// What a clamd says of its program and signatures, as in `ClamAV 1.4.3/27000/…`.
    package func version(within budget: Duration = .seconds(5)) async -> String? {
        guard case .success(let answer) = await ask("zVERSION\0", within: budget) else {
            return nil
        }
        return ClamdAnswer.printable(answer[...])
    }

    // MARK: The conversation

    private struct Failed: Error {
        let reason: EngineFailure
    }

    private func ask(
        _ command: StaticString,
        sending message: [UInt8]? = nil,
        within budget: Duration
    ) async -> Result<[UInt8], Failed> {
        let deadline = ContinuousClock.now + budget
        guard let connection = await connect(before: deadline) else {
            return .failure(Failed(reason: .unreachable))
        }
        let result: Result<[UInt8], Failed>
        do {
            try await send(command, message, over: connection, before: deadline)
            result = await answer(from: connection, before: deadline)
        } catch {
            // clamd hangs up on a message that is too large, and says so first.
            let early = await answer(from: connection, before: min(deadline, .now + .seconds(1)))
            if case .success(let words) = early,
                case .failed(let reason) = ClamdAnswer.verdict(words[...])
            {
                result = .failure(Failed(reason: reason))
            } else {
                result = .failure(Failed(reason: deadline <= .now ? .timedOut : .cutOff))
            }
        }
        connection.abort()
        return result
    }

    private func connect(before deadline: ContinuousClock.Instant) async -> Connection? {
        for index in order() {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero, !Task.isCancelled else { return nil }
            var limits = ConnectionLimits()
            limits.sendTimeout = left
            let dialer = Dialer(limits: limits)
            let limit = min(left, connectTimeout)
            do {
                let connection =
                    switch addresses[index] {
                    case .unix(let path):
                        try await dialer.connect(to: .unix(path), within: limit)
                    case .tcp(let host, let port):
                        try await dialer.connect(host: host, port: port, within: limit)
                    }
                avoided.withLock { $0[index] = nil }
                return connection
            } catch {
                avoided.withLock { $0[index] = .now + Self.avoidance }
            }
        }
        return nil
    }

    // Those that answered first, in the order given; then the others.
    private func order() -> [Int] {
        let now = ContinuousClock.now
        let away = avoided.withLock { $0.filter { $0.value > now } }
        return addresses.indices.filter { away[$0] == nil }
            + addresses.indices.filter { away[$0] != nil }
    }

    private func send(
        _ command: StaticString,
        _ message: [UInt8]?,
        over connection: Connection,
        before deadline: ContinuousClock.Instant
    ) async throws(NetError) {
        var bytes: [UInt8] = []
        command.withUTF8Buffer { bytes.append(contentsOf: $0) }
        if let message {
            var rest = message[...]
            while !rest.isEmpty {
                let chunk = rest.prefix(Self.chunkBytes)
                rest = rest.dropFirst(chunk.count)
                bytes.reserveCapacity(bytes.count + chunk.count + 8)
                Self.append(length: chunk.count, to: &bytes)
                bytes.append(contentsOf: chunk)
                guard !rest.isEmpty else { break }
                if deadline <= .now { throw .timedOut }
                try await connection.send(bytes)
                bytes.removeAll()
            }
            Self.append(length: 0, to: &bytes)
        }
        try await connection.send(bytes)
    }

    private static func append(length: Int, to bytes: inout [UInt8]) {
        for shift in [24, 16, 8, 0] {
            bytes.append(UInt8(truncatingIfNeeded: length >> shift))
        }
    }

    private func answer(
        from connection: Connection,
        before deadline: ContinuousClock.Instant
    ) async -> Result<[UInt8], Failed> {
        var reader = ClamdAnswerReader()
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return .failure(Failed(reason: .timedOut)) }
            switch await connection.next(within: left) {
            case .bytes(let bytes):
                switch reader.feed(bytes) {
                case .incomplete: continue
                case .answer(let answer): return .success(answer)
                case .garbage(let bytes):
                    let words = ClamdAnswer.printable(bytes[...])
                    return .failure(Failed(reason: .unknownAnswer(words)))
                }
            case .woken: continue
            case .timedOut: return .failure(Failed(reason: .timedOut))
            case .closed: return .failure(Failed(reason: .cutOff))
            }
        }
    }
}
