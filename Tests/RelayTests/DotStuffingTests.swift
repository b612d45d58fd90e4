import Testing

@testable import SMTP

@Suite("Dot stuffing")
struct DotStuffingTests {
    func stuffed(_ text: String, piece: Int) -> String {
        var stuffing = DotStuffing(Array(text.utf8))
        var result: [UInt8] = []
        while let next = stuffing.next(piece) { result += next }
        return String(decoding: result, as: UTF8.self)
    }

    @Test(
        arguments: [
            ("", ".\r\n"), ("a", "a\r\n.\r\n"), ("a\r\n", "a\r\n.\r\n"), (".", "..\r\n.\r\n"),
            (".\r\n.a\r\na.\r\n", "..\r\n..a\r\na.\r\n.\r\n"), ("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"),
            ("a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"), ("a\r", "a\r\n.\r\n"),
            ("a\r\r\n", "a\r\n\r\n.\r\n"),
            ("\r\n.\r\n", "\r\n..\r\n.\r\n"), ("\n", "\r\n.\r\n"),
            ("a\r\n\r.", "a\r\n\r\n..\r\n.\r\n"),
        ],
        [1, 2, 3, 100]
    )
    func everyLineThatBeginsWithADotGetsAnother(_ pair: (String, String), piece: Int) {
        #expect(stuffed(pair.0, piece: piece) == pair.1)
    }

    /// The receiving half, written by somebody else, finds the message again.
    @Test(arguments: 0..<300)
    func theReceiverFindsTheMessageAgain(seed: UInt64) {
        var random = SplitMix(seed)
        var message: [UInt8] = []
        for _ in 0..<(random.next() % 60) {
            message += Array(["a", ".", "..", "\r\n", "\r\n.", "xyz"][Int(random.next() % 6)].utf8)
        }
        message += [0x0D, 0x0A]
        var stuffing = DotStuffing(message)
        var wire: [UInt8] = []
        while let piece = stuffing.next(Int(random.next() % 9) + 1) { wire += piece }
        var decoder = DataDecoder(longestLine: 1_000)
        var sink = MessageSink(prefix: [], limit: 10_000, expected: 0)
        #expect(decoder.decode(wire, from: 0, into: &sink) == wire.count)
        #expect(sink.bytes == message)
        #expect(decoder.flaws.isEmpty)
    }
}
