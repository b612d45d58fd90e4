import Foundation
import Mail
import Net
import Testing

/// Clients that keep a copy of a mailbox by QRESYNC alone, while others change it at random.
@Suite struct ResyncModelTests {
    /// A reproducible sequence of numbers.
    struct Numbers: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    /// What a client believes: the flags of every UID.
    struct Copy: Equatable {
        var flags: [UInt32: Set<String>] = [:]
        var modSeq: Int64 = 0
        var validity: UInt32 = 0
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func `A client that comes back knows what one that asks for everything knows`(
        seed: UInt64
    ) async throws {
        try await IMAPRig.with { rig in
            var numbers = Numbers(state: seed)
            for number in 1...9 { try await rig.deliver(IMAPRig.plain(number)) }
            let writer = try await LineClient(rig.endpoint)
            try await writer.logIn()
            _ = try await writer.run("SELECT INBOX")
            let reader = try await LineClient(rig.endpoint)
            try await reader.logIn()
            _ = try await reader.run("ENABLE QRESYNC")
            var copy = Copy()
            for _ in 0..<25 {
                for _ in 0..<Int.random(in: 0...4, using: &numbers) {
                    try await Self.change(writer, rig, &numbers)
                }
                try await Self.resynchronize(reader, &copy, &numbers)
                let truth = try await Self.everything(writer)
                #expect(copy.flags == truth, "seed \(seed)")
            }
            await writer.close()
            await reader.close()
        }
    }

    private static func change(
        _ writer: LineClient,
        _ rig: IMAPRig,
        _ numbers: inout Numbers
    ) async throws {
        let set =
            "\(Int.random(in: 1...30, using: &numbers)):\(Int.random(in: 1...30, using: &numbers))"
        switch Int.random(in: 0..<7, using: &numbers) {
        case 0: _ = try await writer.run("UID STORE \(set) +FLAGS.SILENT (\\Seen)")
        case 1: _ = try await writer.run("UID STORE \(set) -FLAGS.SILENT (\\Seen $Work)")
        case 2: _ = try await writer.run("UID STORE \(set) +FLAGS ($Work)")
        case 3:
            let one = Int.random(in: 1...30, using: &numbers)
            _ = try await writer.run("UID STORE \(one) +FLAGS.SILENT (\\Deleted)")
            _ = try await writer.run("EXPUNGE")
        case 4:
            _ = try await writer.run("UID MOVE \(Int.random(in: 1...30, using: &numbers)) Archive")
        case 5: _ = try await writer.run("UID COPY \(set) INBOX")
        default: try await rig.deliver(IMAPRig.plain(1), flags: [.flagged])
        }
    }

    /// SELECT with what the copy knows, and sometimes changes heard in an open session.
    private static func resynchronize(
        _ reader: LineClient,
        _ copy: inout Copy,
        _ numbers: inout Numbers
    ) async throws {
        let stays = copy.validity != 0 && Bool.random(using: &numbers)
        var command = "NOOP"
        if !stays {
            command = "SELECT INBOX"
            if copy.validity != 0 {
                command += " (QRESYNC (\(copy.validity) \(copy.modSeq)\(known(copy, &numbers))))"
            } else {
                command += " (CONDSTORE)"
            }
        }
        let isFirst = copy.validity == 0
        let lines = try await reader.run(command)
        for line in lines { copy.hear(line) }
        if isFirst {
            for line in try await reader.run("UID FETCH 1:* (UID FLAGS MODSEQ)") { copy.hear(line) }
        }
        if stays {
            // EXISTS says that messages came, but not which.
            let next = (copy.flags.keys.max() ?? 0) + 1
            for line in try await reader.run("UID FETCH \(next):* (UID FLAGS MODSEQ)") {
                copy.hear(line)
            }
        }
    }

    /// The optional parts of QRESYNC's parameter, at random.
    private static func known(_ copy: Copy, _ numbers: inout Numbers) -> String {
        let uids = copy.flags.keys.sorted()
        guard let last = uids.last, Bool.random(using: &numbers) else { return "" }
        // Beyond what is known lies what is new, which the client wants to hear of as well.
        var text = " 1:\(last + 1_000)"
        if Bool.random(using: &numbers) {
            let picks = uids.indices.filter { _ in Bool.random(using: &numbers) }
            if !picks.isEmpty {
                text += " (\(picks.map { "\($0 + 1)" }.joined(separator: ","))"
                text += " \(picks.map { "\(uids[$0])" }.joined(separator: ",")))"
            }
        }
        return text
    }

    private static func everything(_ client: LineClient) async throws -> [UInt32: Set<String>] {
        var copy = Copy()
        _ = try await client.run("NOOP")
        for line in try await client.run("UID FETCH 1:* (UID FLAGS)") { copy.hear(line) }
        return copy.flags
    }
}

extension ResyncModelTests.Copy {
    /// Takes over one untagged response.
    mutating func hear(_ line: String) {
        if let number = line.number(after: "[UIDVALIDITY ") { validity = UInt32(number) }
        if let number = line.number(after: "[HIGHESTMODSEQ ") { modSeq = number }
        if line.hasPrefix("* VANISHED ") {
            let set = line.split(separator: " ").last ?? ""
            for range in set.split(separator: ",") {
                let ends = range.split(separator: ":").compactMap { UInt32($0) }
                guard let low = ends.first, let high = ends.last else { continue }
                for uid in low...high { flags[uid] = nil }
            }
        }
        guard line.contains(" FETCH ("), let uid = line.number(after: "UID ") else { return }
        if let start = line.range(of: "FLAGS (")?.upperBound {
            flags[UInt32(uid)] = Set(
                line[start...].prefix { $0 != ")" }.split(separator: " ").map(String.init)
            )
        }
        if let number = line.number(after: "MODSEQ (") { modSeq = max(modSeq, number) }
    }
}

extension String {
    fileprivate func number(after word: String) -> Int64? {
        guard let start = range(of: word)?.upperBound else { return nil }
        return Int64(self[start...].prefix { $0.isNumber })
    }
}

/// A client that sends a command and collects the lines up to its tagged response.
final class LineClient {
    struct Failed: Error { let line: String }

    private let connection: Connection
    private var buffer: [UInt8] = []
    private var tag = 0

    init(_ endpoint: Endpoint) async throws {
        connection = try await Dialer().connect(to: endpoint, within: .seconds(5))
        _ = try await line()
    }

    func logIn() async throws { _ = try await run("LOGIN anne demo") }

    /// The untagged lines, and the tagged one last; throws unless it is OK.
    func run(_ command: String) async throws -> [String] {
        tag += 1
        try await connection.send(Array("t\(tag) \(command)\r\n".utf8))
        var lines: [String] = []
        while true {
            let line = try await line()
            lines.append(line)
            guard line.hasPrefix("t\(tag) ") else { continue }
            guard line.hasPrefix("t\(tag) OK") else { throw Failed(line: line) }
            return lines
        }
    }

    func close() async { await connection.close() }

    private func line() async throws -> String {
        while true {
            if let end = buffer.firstIndex(of: 0x0A) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeSubrange(...end)
                return line.trimmingCharacters(in: .newlines)
            }
            guard case .bytes(let bytes) = await connection.next(within: .seconds(10)) else {
                throw Failed(line: "connection ended")
            }
            buffer += bytes
        }
    }
}
