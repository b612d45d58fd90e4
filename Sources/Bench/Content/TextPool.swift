import NIOCore
import Wire

/// Much text, made once, of which every message carries a slice: sending costs no generating.
///
/// Lines end in CR LF, none is longer than 76 bytes and none begins with a dot, so a slice of
/// whole lines needs no dot-stuffing.
struct TextPool: Sendable {
    let bytes: ByteBuffer
    /// Where each line begins; the last entry is the end of the pool.
    let lines: [Int]

    /// Prose: words of Zipf-like frequency, sentences, paragraphs; 4 KB of it, with headers, shrinks
    /// about 2.1 times under zstd level 1, as single real messages do.
    static func prose(bytes count: Int, seed: UInt64) -> TextPool {
        var random = RandomNumbers(seed: seed)
        var speech = Speech(vocabulary: Vocabulary(random: &random))
        var text = [UInt8]()
        text.reserveCapacity(count + 100)
        var lines = [0]
        var lineStart = 0
        func endLine() {
            text.appendCRLF()
            lines.append(text.count)
            lineStart = text.count
        }
        while text.count < count {
            for _ in 0..<(2 + random.below(5)) {
                let length = 5 + random.below(16)
                for position in 0..<length {
                    let word = speech.next(&random)
                    if text.count - lineStart + word.count > 72 { endLine() }
                    if text.count > lineStart { text.append(.space) }
                    let start = text.count
                    text.append(contentsOf: word)
                    if position == 0 { text[start] = text[start].uppercased }
                    if position == length - 1 {
                        text.append(random.below(8) == 0 ? 0x3F : 0x2E)
                    } else if random.below(11) == 0 {
                        text.append(0x2C)
                    }
                }
            }
            endLine()
            endLine()
        }
        return TextPool(bytes: ByteBuffer(bytes: text), lines: lines)
    }

    /// Base64 of random bytes, as of a photograph or a compressed document.
    static func attachment(bytes count: Int, seed: UInt64) -> TextPool {
        var random = RandomNumbers(seed: seed)
        let alphabet = Array(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
        )
        var text = [UInt8]()
        text.reserveCapacity(count + 100)
        var lines = [0]
        while text.count < count {
            var line = 0
            while line < 76 {
                var bits = random.next()
                for _ in 0..<10 where line < 76 {
                    text.append(alphabet[Int(bits & 63)])
                    bits >>= 6
                    line += 1
                }
            }
            text.appendCRLF()
            lines.append(text.count)
        }
        return TextPool(bytes: ByteBuffer(bytes: text), lines: lines)
    }

    /// Whole lines from a random place, about `count` bytes of them and at least one line.
    func slice(about count: Int, random: inout RandomNumbers) -> ByteBuffer {
        let last = lines.count - 1
        let average = max(1, bytes.readableBytes / last)
        let wanted = min(max(1, count / average), last)
        let first = random.below(last - wanted + 1)
        var end = first + wanted
        while end < last, lines[end] - lines[first] < count { end += 1 }
        while end > first + 1, lines[end] - lines[first] > count + 40 { end -= 1 }
        return bytes.getSlice(at: lines[first], length: lines[end] - lines[first]) ?? ByteBuffer()
    }
}

/// A stream of words that comes back to what it said, as texts do.
private struct Speech {
    private let vocabulary: Vocabulary
    private var said: [[UInt8]] = []
    private var echo = 0
    private var echoLeft = 0

    /// How many words back an echo may begin.
    static let memory = 200

    init(vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
    }

    mutating func next(_ random: inout RandomNumbers) -> [UInt8] {
        if echoLeft == 0, said.count > Self.memory, random.below(6) == 0 {
            echo = said.count - 1 - random.below(Self.memory)
            echoLeft = 1 + random.below(3)
        }
        let word: [UInt8]
        if echoLeft > 0 {
            word = said[echo]
            echo += 1
            echoLeft -= 1
        } else {
            word = vocabulary.pick(&random)
        }
        said.append(word)
        if said.count > 4 * Self.memory, echoLeft == 0 {
            said.removeFirst(said.count - Self.memory - 1)
        }
        return word
    }
}

/// Invented words, the common ones short, drawn with the frequencies of a natural language.
private struct Vocabulary {
    private var words: [[UInt8]] = []
    private var upTo: [Double] = []

    static let size = 4000

    init(random: inout RandomNumbers) {
        let onsets = [
            "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "pr",
            "ch", "br", "",
        ]
        let vowels = ["a", "e", "i", "o", "u", "ou", "ai", "ea", "io"]
        let codas = ["", "n", "r", "s", "t", "l", "nt", "st", "rs", "m", "d", ""]
        var known: Set<[UInt8]> = []
        var total = 0.0
        while words.count < Self.size {
            let rank = words.count
            let syllables = 1 + random.below(rank < 60 ? 1 : rank < 1000 ? 2 : 3)
            var word: [UInt8] = []
            for _ in 0..<syllables {
                word += Array(onsets[random.below(onsets.count)].utf8)
                word += Array(vowels[random.below(vowels.count)].utf8)
                word += Array(codas[random.below(codas.count)].utf8)
            }
            guard known.insert(word).inserted else { continue }
            words.append(word)
            total += 1 / (Double(rank) + 1.5)
            upTo.append(total)
        }
    }

    func pick(_ random: inout RandomNumbers) -> [UInt8] {
        let target = Double(random.next() >> 11) / Double(1 << 53) * (upTo.last ?? 1)
        var low = 0
        var high = upTo.count - 1
        while low < high {
            let middle = (low + high) / 2
            if upTo[middle] < target { low = middle + 1 } else { high = middle }
        }
        return words[low]
    }
}
