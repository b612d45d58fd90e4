import Database
import Foundation
import Mail
import Net
import Queue
import Synchronization
import Testing
import Transfer

/// An SMTP or LMTP server that behaves as a test wants, and remembers what it got.
final class FakeServer: Sendable {
    /// What it does instead of the ordinary.
    enum Misbehaviour: Sendable {
        case say(String)
        /// Says this and resets the connection.
        case cut(String)
        case silence
        /// Reply lines without end.
        case flood
    }

    struct Received: Sendable, Equatable {
        var envelope: [String] = []
        var message = ""
        var isSecure = false
    }

    private struct State {
        var received: [Received] = []
        var commands: [String] = []
        var connections = 0
    }

    private let state = Mutex(State())
    private let announcements: [String]
    private let identity: TLSIdentity?
    private let isLMTP: Bool
    /// The command line, and how many commands of its verb came before on all connections.
    private let misbehave: @Sendable (_ line: String, _ before: Int) -> Misbehaviour?

    init(
        announcing announcements: [String] = ["PIPELINING", "8BITMIME"],
        identity: TLSIdentity? = nil,
        lmtp isLMTP: Bool = false,
        _ misbehave: @escaping @Sendable (_ line: String, _ before: Int) -> Misbehaviour? = {
            _,
            _ in nil
        }
    ) {
        self.announcements = announcements
        self.identity = identity
        self.isLMTP = isLMTP
        self.misbehave = misbehave
    }

    var received: [Received] { state.withLock { $0.received } }
    var commands: [String] { state.withLock { $0.commands } }
    var connections: Int { state.withLock { $0.connections } }

    /// Listens on a loopback port while `body` runs.
    func serve(
        at address: String = "127.0.0.1",
        port: UInt16 = 0,
        _ body: (UInt16) async throws -> Void
    ) async throws {
        let endpoint = try #require(Endpoint("\(address):\(port)"))
        let server = Server([Listener(endpoint)])
        let bound = try #require(try await server.bind().first?.port)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await server.serve { await self.talk($0) } }
            do {
                try await body(bound)
            } catch {
                await server.drain(within: .zero)
                throw error
            }
            await server.drain(within: .zero)
            try await group.waitForAll()
        }
    }

    private func talk(_ connection: Connection) async {
        state.withLock { $0.connections += 1 }
        var pending: [UInt8] = []
        var current = Received()
        var lines: [String]?
        do {
            guard try await answer("", "220 fake.example ESMTP", connection) else { return }
            while case .bytes(let bytes) = await connection.next(within: .seconds(60)) {
                pending += bytes
                while let end = pending.firstIndex(of: 0x0A) {
                    let line = String(decoding: pending[..<end], as: UTF8.self)
                        .trimmingCharacters(in: .newlines)
                    pending.removeSubrange(...end)
                    if lines != nil, line != "." {
                        lines?.append(line)
                        continue
                    }
                    let goesOn = try await obey(line, &current, &lines, connection)
                    guard goesOn else { return }
                }
            }
        } catch {}
    }

    private func obey(
        _ line: String,
        _ current: inout Received,
        _ lines: inout [String]?,
        _ connection: Connection
    ) async throws -> Bool {
        let verb = line.prefix { $0 != " " }.uppercased()
        var reply = "250 2.0.0 OK"
        switch verb {
        case "EHLO", "LHLO":
            let words = announcements + (connection.isSecure || identity == nil ? [] : ["STARTTLS"])
            reply = (["250-fake.example"] + words.map { "250-\($0)" }).joined(separator: "\r\n")
            reply += "\r\n250 ENHANCEDSTATUSCODES"
        case "MAIL":
            current = Received(envelope: [line], isSecure: connection.isSecure)
        case "RCPT": current.envelope.append(line)
        case "DATA": reply = "354 Go on"
        case "QUIT": reply = "221 2.0.0 Bye"
        case ".":
            current.message = (lines ?? []).joined(separator: "\n")
            lines = nil
            if isLMTP {
                let count = current.envelope.count - 1
                reply = Array(repeating: reply, count: count).joined(separator: "\r\n")
            }
        case "STARTTLS":
            guard let identity else { break }
            if misbehave("TLS", 0) != nil {
                try await connection.send(Array("220 Go ahead\r\n".utf8))
                _ = await connection.next(within: .seconds(5))
                try await connection.send(Array("this is not TLS\r\n".utf8))
                return true
            }
            try await connection.startTLS(identity, saying: Array("220 Go ahead\r\n".utf8))
            return true
        default: break
        }
        let goesOn = try await answer(line, reply, connection)
        if verb == "DATA", goesOn { lines = [] }
        if verb == ".", goesOn { state.withLock { [current] in $0.received.append(current) } }
        return goesOn && verb != "QUIT"
    }

    /// Says `reply`, or misbehaves; false when the connection is over.
    private func answer(
        _ line: String,
        _ reply: String,
        _ connection: Connection
    ) async throws
        -> Bool
    {
        let verb = line.prefix { $0 != " " }
        let before = state.withLock { state in
            defer { state.commands.append(line) }
            return state.commands.filter { $0.prefix { $0 != " " } == verb }.count
        }
        switch misbehave(line, before) {
        case nil: try await connection.send(Array("\(reply)\r\n".utf8))
        case .say(let words): try await connection.send(Array("\(words)\r\n".utf8))
        case .cut(let words):
            try await connection.send(Array(words.utf8))
            try await Task.sleep(for: .milliseconds(50))
            connection.abort()
            return false
        case .silence:
            while case .bytes = await connection.next(within: .seconds(100)) {}
            return false
        case .flood:
            let piece = Array(String(repeating: "250-and more\r\n", count: 1_000).utf8)
            for _ in 0..<10_000 { try await connection.send(piece) }
            return false
        }
        return true
    }
}

/// Bodies by number, in memory.
struct FakeBodies: MessageBodies {
    var messages: [Int64: [UInt8]]

    func read(_ body: QueuedBody) async throws -> [UInt8] {
        try #require(messages[body.id])
    }

    func release(_ body: QueuedBody, in transaction: Transaction) throws {}
}

/// A message in the queue for some recipients at one destination.
func makeAttempt(
    to destination: String,
    _ recipients: [String] = ["anne@example.org"],
    requirements: TransportRequirements = []
) throws -> DeliveryAttempt {
    let message = QueuedMessage(
        queueID: "4711",
        body: QueuedBody(id: 1, size: 10),
        reversePath: .address(try #require(EmailAddress(parsing: "emma@client.example"))),
        requirements: requirements,
        arrival: 0,
        source: "test"
    )
    let numbered = try recipients.enumerated().map { number, text in
        DeliveryAttempt.Recipient(
            number: number,
            path: QueuedRecipient(forwardPath: try #require(EmailAddress(parsing: text))),
            attempts: 0
        )
    }
    return DeliveryAttempt(message: message, destination: destination, recipients: numbered)
}

extension AttemptResult {
    var reply: NextHopReply {
        switch self {
        case .relayed(let reply, _), .delivered(let reply), .bounced(let reply): reply
        case .deferred(let reply, _): reply
        }
    }

    /// Kind, status and text, for comparing at a glance.
    var summary: String {
        let kind =
            switch self {
            case .relayed: "relayed"
            case .delivered: "delivered"
            case .bounced: "bounced"
            case .deferred(_, .recipient): "deferred"
            case .deferred(_, .destination): "deferred destination"
            }
        return "\(kind) \(reply.status) \(reply.text)"
    }
}
