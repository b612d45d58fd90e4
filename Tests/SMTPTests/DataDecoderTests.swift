import SMTP
import Testing

@Suite("The end of a message")
struct DataDecoderTests {
    private struct Outcome: Equatable {
        var message: [UInt8]
        var rest: [UInt8]?
        var flaws: MessageFlaws
    }

    private func decode(_ bytes: [UInt8], chunk: Int, longestLine: Int = 1000) -> Outcome {
        var decoder = DataDecoder(longestLine: longestLine)
        var sink = MessageSink(prefix: [], limit: 1_000_000, expected: 0)
        var start = 0
        while start < bytes.count {
            let piece = Array(bytes[start..<min(start + chunk, bytes.count)])
            if let end = decoder.decode(piece, from: 0, into: &sink) {
                return Outcome(
                    message: sink.bytes,
                    rest: Array(bytes[(start + end)...]),
                    flaws: decoder.flaws
                )
            }
            start += piece.count
        }
        return Outcome(message: sink.bytes, rest: nil, flaws: decoder.flaws)
    }

    /// A second opinion, one octet at a time and after the letter of the standard.
    private func byTheLetter(_ bytes: [UInt8]) -> (message: [UInt8], rest: [UInt8])? {
        let marked: [UInt8] = [13, 10] + bytes
        let terminator: [UInt8] = [13, 10, 46, 13, 10]
        guard
            let end = (0...max(0, marked.count - 5)).first(where: {
                marked[$0...].starts(with: terminator)
            })
        else { return nil }
        var message = Array(marked[..<(end + 2)])
        var index = 0
        while index + 2 < message.count {
            if message[index] == 13, message[index + 1] == 10, message[index + 2] == 46 {
                message.remove(at: index + 2)
            }
            index += 1
        }
        return (Array(message.dropFirst(2)), Array(marked[(end + 5)...]))
    }

    /// Strings over the five octets that matter, decoded in chunks of every size, agree with a
    /// decoder that searches for CR LF "." CR LF as the standard writes it.
    @Test(arguments: 0..<300)
    func agreesWithTheLetter(seed: Int) {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        let alphabet: [UInt8] = [13, 10, 46, 13, 10, 97]
        let bytes = (0..<random(40)).map { _ in alphabet[random(alphabet.count)] }
        let reference = byTheLetter(bytes)
        for chunk in [1, 2, 3, 5, 100] {
            let outcome = decode(bytes, chunk: chunk)
            #expect(outcome.rest == reference?.rest, "\(bytes) by \(chunk)")
            if let reference {
                #expect(outcome.message == reference.message, "\(bytes) by \(chunk)")
                let lines = reference.message.split(separator: 10, omittingEmptySubsequences: false)
                let isClean =
                    lines.dropLast().allSatisfy {
                        $0.last == 13 && $0.filter { $0 == 13 }.count == 1
                    } && lines.last?.isEmpty != false
                #expect(outcome.flaws.contains(.bareLineEnding) == !isClean, "\(bytes)")
            }
        }
    }

    @Test func notesNullAndLongLines() {
        let line = [UInt8](repeating: 97, count: 1001)
        #expect(decode(line + [13, 10, 46, 13, 10], chunk: 7).flaws == .lineTooLong)
        #expect(decode([97, 0, 13, 10, 46, 13, 10], chunk: 7).flaws == .null)
        #expect(decode(line.dropLast() + [13, 10, 46, 13, 10], chunk: 7).flaws == [])
    }

    @Test func countsWhatIsOverTheLimitWithoutKeepingIt() {
        var decoder = DataDecoder(longestLine: 1000)
        var sink = MessageSink(prefix: [1, 2], limit: 10, expected: 1 << 40)
        _ = decoder.decode([UInt8](repeating: 97, count: 100), from: 0, into: &sink)
        #expect(sink.isOverLimit)
        #expect(sink.bytes.isEmpty)
        #expect(sink.count == 100)
    }
}
