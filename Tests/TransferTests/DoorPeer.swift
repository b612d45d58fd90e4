import Filter
import Foundation
import Mail
import Net
import SMTP
import TestRig
import Testing
import Transfer

/// Plays transcripts over loopback sockets against a real door.
actor DoorPeer: TranscriptPeer {
    private let rig: DoorRig
    private let mailboxes: [String]
    private var connections: [Int: Connection] = [:]

    init(_ rig: DoorRig, mailboxes: [String]) {
        self.rig = rig
        self.mailboxes = mailboxes
    }

    /// Plays `transcript` at a door of `role`.
    static func play(
        _ transcript: Transcript,
        _ segmentation: Segmentation,
        at role: DoorRole,
        on engine: TestEngine = .sqlite
    ) async throws {
        var options = DoorRig.Options()
        options.engine = engine
        options.role = role
        for given in transcript.givens { try options.apply(given) }
        let mailboxes = options.mailboxes
        try await DoorRig.with(options) { rig in
            let peer = DoorPeer(rig, mailboxes: mailboxes)
            var failure: (any Error)?
            do {
                try await transcript.play(against: peer, segmentation)
            } catch {
                failure = error
            }
            await peer.closeAll()
            if let failure { throw failure }
        }
    }

    func closeAll() async {
        for connection in connections.values { await connection.close() }
    }

    func send(_ bytes: [UInt8], on number: Int) async throws {
        let connection = try await open(number)
        // A server that has closed says so to the next `receive`.
        do { try await connection.send(bytes) } catch {}
    }

    func receive(on number: Int) async throws -> [UInt8]? {
        switch try await open(number).next(within: .seconds(60)) {
        case .bytes(let bytes): return bytes
        case .closed: return nil
        case .timedOut, .woken: throw Unmet("the door says nothing")
        }
    }

    func perform(_ verb: String, on number: Int) async throws {
        switch verb {
        case "tls":
            let connection = try await open(number)
            try await connection.startTLS(.opportunistic(), serverName: "mx.example.org")
        case "stop database": try await rig.database.close()
        default: throw Unmet("unknown verb \(verb)")
        }
    }

    private struct Unmet: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private func open(_ number: Int) async throws -> Connection {
        if let connection = connections[number] { return connection }
        let connection = try await Dialer().connect(to: rig.endpoint, within: .seconds(10))
        connections[number] = connection
        return connection
    }

    // MARK: Facts

    func check(_ fact: String) async throws {
        let words = fact.split(separator: " ", maxSplits: 2).map(String.init)
        switch words[0] {
        case "messages":
            let count = try await allMessages().count
            guard count == Int(words[1]) else { throw Unmet("\(count) messages") }
        case "message":
            let expected = fact.dropFirst("message ".count)
            let text = try await allMessages().last.map(Self.withoutTrace) ?? "none"
            guard text.replacing("\r\n", with: "|") == expected else { throw Unmet(text) }
        case "mailbox":
            // then mailbox anna@example.org matches <pattern>
            let messages = try await rig.messages(of: words[1]).map {
                String(decoding: $0, as: UTF8.self).replacing("\r\n", with: "|")
            }
            let rest = words[2]
            if let count = Int(rest) {
                guard messages.count == count else { throw Unmet("\(messages.count) messages") }
            } else {
                let pattern = try Regex(String(rest.drop { $0 != " " }.dropFirst()))
                guard let last = messages.last, try pattern.wholeMatch(in: last) != nil else {
                    throw Unmet(messages.last ?? "no message")
                }
            }
        case "queue": try await checkQueue(words)
        case "budget":
            guard rig.budget.heldOctets == 0 else { throw Unmet("\(rig.budget.heldOctets) held") }
        default: throw Unmet("unknown fact \(fact)")
        }
    }

    private func checkQueue(_ words: [String]) async throws {
        let entries = try await rig.queue.list()
        let recipients = entries.flatMap { entry in
            entry.recipients.map { "\(entry.message.reversePath.text) \($0.path.forwardPath)" }
        }
        let expected = words[1] == "is" ? [] : [words.dropFirst().joined(separator: " ")]
        guard recipients == expected else { throw Unmet("queue: \(recipients)") }
    }

    private func allMessages() async throws -> [[UInt8]] {
        var all: [[UInt8]] = []
        for mailbox in mailboxes { all += try await rig.messages(of: mailbox) }
        return all
    }

    // Without Return-Path and the one Received field that the door added.
    private static func withoutTrace(_ message: [UInt8]) -> String {
        var lines = String(decoding: message, as: UTF8.self)
            .split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        if lines.first?.hasPrefix("Return-Path:") == true { lines.removeFirst() }
        if lines.first?.hasPrefix("Received:") == true { lines.removeFirst() }
        while lines.first?.hasPrefix("\t") == true { lines.removeFirst() }
        return lines.joined(separator: "\r\n")
    }
}

extension ReversePath {
    fileprivate var text: String {
        switch self {
        case .null: "<>"
        case .address(let address): "\(address)"
        }
    }
}

extension DoorRig.Options {
    /// Understands a `given` line.
    mutating func apply(_ given: String) throws {
        let words = given.split(separator: " ").map(String.init)
        switch (words[0], words.count) {
        case ("mailbox", 2): mailboxes.append(words[1])
        case ("quota", 3): quotas[words[1]] = Int64(words[2])
        case ("limit", 3):
            guard let value = Int(words[2]) else { throw TranscriptError.empty(given) }
            switch words[1] {
            case "size": limits.messageSize = value
            case "recipients": limits.recipients = value
            case "errors": limits.errors = value
            case "textline": limits.textLine = value
            case "refused": limits.refusedRecipients = value
            case "discarded": limits.discardedOctets = value
            case "idle": limits.idleCommands = value
            case "hops": policy.hops = value
            case "budget": budget = value
            case "logins": throttle.failures = value
            default: throw TranscriptError.empty(given)
            }
        case ("no", 3) where words[1] == "cleartext": allowsCleartextLogin = false
        case ("engine", 3) where words[1] == "finds":
            engines = [TestContentEngine(verdict: .infected(words[2]))]
        case ("engine", 3) where words[2] == "down":
            engines = [TestContentEngine(verdict: .failed(.unreachable))]
        case ("engine", 3) where words[2] == "overwhelmed":
            engines = [TestContentEngine(verdict: .failed(.tooLarge))]
        case ("patience", 2):
            guard let milliseconds = Int(words[1]) else { throw TranscriptError.empty(given) }
            patience = Patience(
                command: .milliseconds(milliseconds),
                dataBlock: .milliseconds(milliseconds),
                message: .milliseconds(milliseconds)
            )
        default: throw TranscriptError.empty(given)
        }
    }
}
