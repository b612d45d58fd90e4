import Foundation
import Testing

@testable import Store

@Suite struct FoldingTests {
    @Test(arguments: 1...60)
    func `unfolding gives the message back, whole or its beginning`(seed: UInt64) {
        var random = RandomNumbers(seed: seed)
        let message = randomMessage(using: &random)
        guard let folded = Base64Folding.fold(message)?.bytes else { return }
        #expect(folded.count < message.count)
        #expect(unfold(folded, message.count) == message)
        for _ in 0..<20 {
            let length = Int.random(in: 0...message.count, using: &random)
            #expect(unfold(folded, message.count, length: length) == Array(message.prefix(length)))
            // The beginning of the folded form suffices for the beginning of the message.
            let part = Array(folded.prefix(length + 1_200))
            #expect(unfold(part, message.count, length: length) == Array(message.prefix(length)))
        }
    }

    @Test func `an attachment as Foundation encodes it is folded to its own size`() {
        let bytes = Data((0..<57_000).map { UInt8(truncatingIfNeeded: $0 &* 7_919 >> 3) })
        let encoded = bytes.base64EncodedString(
            options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed]
        )
        let message = Array("Subject: x\r\n\r\n\(encoded)\r\n--end\r\n".utf8)
        let folded = Base64Folding.fold(message)?.bytes
        #expect((folded?.count ?? .max) < 57_000 + 200)
        #expect(folded.flatMap { unfold($0, message.count) } == message)
    }

    @Test func `text, short runs and odd lines stay as they are`() {
        let line = String(repeating: "QUJD", count: 19)
        let few = String(repeating: line + "\r\n", count: 7)
        let bare = String(repeating: line + "\n", count: 50)
        let odd = String(repeating: line + "A\r\n", count: 50)
        let padded = String(repeating: line.dropLast() + "=\r\n", count: 50)
        let prose = String(
            repeating: "The quick brown fox jumps over the lazy dog, yes\r\n",
            count: 50
        )
        for text in [few, bare, odd, padded, prose, "", "\n", line] {
            #expect(Base64Folding.fold(Array(text.utf8)) == nil)
        }
    }

    @Test(arguments: 1...40)
    func `damaged bytes yield nothing or some bytes, never a trap`(seed: UInt64) {
        var random = RandomNumbers(seed: seed)
        let message = randomMessage(using: &random)
        guard var folded = Base64Folding.fold(message)?.bytes else { return }
        for _ in 0..<50 {
            let end = min(24, folded.count)
            folded[Int.random(in: 0..<end, using: &random)] = .random(in: 0...255, using: &random)
            let size = Int.random(in: 0...(message.count * 2), using: &random)
            if let some = unfold(folded, size) { #expect(some.count == size) }
            _ = unfold(Array(folded.prefix(.random(in: 0...40, using: &random))), size)
        }
    }
}

private func unfold(_ folded: [UInt8], _ size: Int, length: Int = .max) -> [UInt8]? {
    folded.withUnsafeBytes { Base64Folding.unfold($0, size: size, length: length) }
}

/// Prose, base64 of several line lengths, broken base64 and bare line feeds, in any order.
private func randomMessage(using random: inout RandomNumbers) -> [UInt8] {
    var text: [UInt8] = []
    for _ in 0..<Int.random(in: 1...6, using: &random) {
        switch Int.random(in: 0...3, using: &random) {
        case 0:
            for _ in 0..<Int.random(in: 0...30, using: &random) {
                text += (0..<Int.random(in: 0...90, using: &random)).map { _ in
                    UInt8.random(in: 32...126, using: &random)
                }
                text += [13, 10]
            }
        case 1:
            text += (0..<Int.random(in: 0...50, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
        default:
            let length = [76, 72, 64, 40, 60, 988, 75].randomElement(using: &random) ?? 76
            let alphabet = Array(
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
            )
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                text += (0..<length).map { _ in
                    alphabet[Int.random(in: 0..<64, using: &random)]
                }
                text += Int.random(in: 0...60, using: &random) == 0 ? [10] : [13, 10]
            }
        }
    }
    return text
}
