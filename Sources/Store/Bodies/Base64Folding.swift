import Glibc

// A message with its base64 lines turned back into the bytes that they stand for: a quarter smaller
// before any compression, and what was compressible in an attachment becomes so again.
//
//   segments       number; for each: plain bytes before it, characters per line, lines
//   content        for each segment the plain bytes before it, then its decoded bytes;
//                  at the end the plain bytes that are left
//
// Numbers are LEB128. A segment is a run of lines of equal length, each of whole groups of four
// base64 characters without padding and CR LF: such lines and their bytes determine each other, so
// unfolding yields the message bit for bit. The shorter last line of an attachment stays plain.

enum Base64Folding {
    /// Lines of equal length that make a segment.
    private static let minimumLines = 8
    private static let lineLengths = 40...996

    private struct Segment {
        let plain: Int
        let lineLength: Int
        let lines: Int

        var decoded: Int { lineLength / 4 * 3 * lines }
    }

    // MARK: Folding

    /// A folded message, and where in it plain and decoded bytes meet.
    ///
    /// A compressor that starts afresh at the joints does not measure text with the statistics of a
    /// picture.
    struct Folded {
        let bytes: [UInt8]
        let joints: [Int]
    }

    /// The folded form of `message`; nil when there is nothing to fold.
    static func fold(_ message: [UInt8]) -> Folded? {
        message.withUnsafeBufferPointer { source in
            var segments: [Segment] = []
            var content: [UInt8] = []
            var plainStart = 0
            var position = 0
            while position < source.count {
                guard let lineLength = lineLength(at: position, in: source) else { break }
                guard let candidate = lineLength.folds,
                    isBase64(source[position..<(position + candidate)])
                else {
                    position += lineLength.total
                    continue
                }
                let available = (source.count - position) / (candidate + 2)
                let decoded = [UInt8](
                    unsafeUninitializedCapacity: available * candidate / 4 * 3
                ) { target, count in
                    let start = position
                    count = decodeLines(
                        UnsafeBufferPointer(rebasing: source[start...]),
                        lineLength: candidate,
                        into: target
                    )
                }
                let lines = decoded.count / (candidate / 4 * 3)
                if lines >= minimumLines {
                    if segments.isEmpty { content.reserveCapacity(source.count) }
                    segments.append(
                        Segment(
                            plain: position - plainStart,
                            lineLength: candidate,
                            lines: lines
                        )
                    )
                    content += source[plainStart..<position]
                    content += decoded
                    plainStart = position + lines * (candidate + 2)
                    position = plainStart
                } else {
                    position += max(lines * (candidate + 2), lineLength.total)
                }
            }
            guard !segments.isEmpty else { return nil }
            content += source[plainStart...]
            let header = header(of: segments)
            var joints: [Int] = []
            var joint = header.count
            for segment in segments {
                joints += [joint + segment.plain, joint + segment.plain + segment.decoded]
                joint += segment.plain + segment.decoded
            }
            return Folded(bytes: header + content, joints: joints)
        }
    }

    private static func header(of segments: [Segment]) -> [UInt8] {
        var header: [UInt8] = []
        header.append(leb128: UInt64(segments.count))
        for segment in segments {
            header.append(leb128: UInt64(segment.plain))
            header.append(leb128: UInt64(segment.lineLength))
            header.append(leb128: UInt64(segment.lines))
        }
        return header
    }

    private struct Line {
        /// Bytes to the next line.
        let total: Int
        /// Characters before CR LF, when they may be whole groups.
        let folds: Int?
    }

    private static func lineLength(
        at position: Int,
        in source: UnsafeBufferPointer<UInt8>
    ) -> Line? {
        guard let base = source.baseAddress,
            let found = memchr(base + position, 0x0A, source.count - position)
        else { return nil }
        let total = UnsafeRawPointer(found) - UnsafeRawPointer(base + position) + 1
        let length = total - 2
        guard lineLengths.contains(length), length % 4 == 0, source[position + length] == 0x0D
        else { return Line(total: total, folds: nil) }
        return Line(total: total, folds: length)
    }

    private static func isBase64(_ line: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        values.withUnsafeBufferPointer { values in
            line.allSatisfy { values[Int($0)] < 64 }
        }
    }

    /// Decodes whole lines until one is not base64 of that length; yields the bytes written.
    private static func decodeLines(
        _ source: UnsafeBufferPointer<UInt8>,
        lineLength: Int,
        into target: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        values.withUnsafeBufferPointer { values in
            var read = 0
            var written = 0
            let step = lineLength / 4 * 3
            while read + lineLength + 2 <= source.count, written + step <= target.count {
                guard source[read + lineLength] == 0x0D, source[read + lineLength + 1] == 0x0A
                else { break }
                var invalid: UInt32 = 0
                var output = written
                var input = read
                let end = read + lineLength
                while input < end {
                    let group =
                        values[Int(source[input])] << 18 | values[Int(source[input + 1])] << 12
                        | values[Int(source[input + 2])] << 6 | values[Int(source[input + 3])]
                    invalid |=
                        values[Int(source[input])] | values[Int(source[input + 1])]
                        | values[Int(source[input + 2])] | values[Int(source[input + 3])]
                    target[output] = UInt8(truncatingIfNeeded: group >> 16)
                    target[output + 1] = UInt8(truncatingIfNeeded: group >> 8)
                    target[output + 2] = UInt8(truncatingIfNeeded: group)
                    input += 4
                    output += 3
                }
                guard invalid < 64 else { break }
                written = output
                read += lineLength + 2
            }
            return written
        }
    }

    // MARK: Unfolding

    /// The first `length` bytes of the message of `size` bytes that was folded; nil when `folded`,
    /// which may be the beginning of the folded form, does not yield them.
    static func unfold(
        _ folded: UnsafeRawBufferPointer,
        size: Int,
        length: Int = .max
    ) -> [UInt8]? {
        var reader = LEB128Reader(bytes: folded)
        guard let count = reader.number(below: folded.count + 1) else { return nil }
        var segments: [Segment] = []
        for _ in 0..<count {
            guard let plain = reader.number(below: size + 1),
                let lineLength = reader.number(below: lineLengths.upperBound + 1),
                lineLengths.contains(lineLength), lineLength % 4 == 0,
                let lines = reader.number(below: size / (lineLength + 2) + 1)
            else { return nil }
            segments.append(Segment(plain: plain, lineLength: lineLength, lines: lines))
        }
        let wanted = min(size, length)
        var complete = true
        let content = UnsafeRawBufferPointer(rebasing: folded[reader.position...])
        let message = [UInt8](unsafeUninitializedCapacity: wanted) { target, written in
            var target = Target(buffer: target)
            var read = 0
            for segment in segments where target.written < wanted {
                let plain = min(segment.plain, wanted - target.written)
                guard target.copy(content, from: &read, count: plain) else { break }
                if target.written == wanted { break }
                guard target.encode(segment.lineLength, segment.lines, content, from: &read) else {
                    break
                }
            }
            if target.written < wanted {
                complete = target.copy(content, from: &read, count: wanted - target.written)
            }
            written = target.written
        }
        return complete && message.count == wanted ? message : nil
    }

    /// The message as it grows; refuses what does not fit instead of trapping.
    private struct Target {
        let buffer: UnsafeMutableBufferPointer<UInt8>
        var written = 0

        init(buffer: UnsafeMutableBufferPointer<UInt8>) {
            self.buffer = buffer
        }

        mutating func copy(
            _ content: UnsafeRawBufferPointer,
            from read: inout Int,
            count: Int
        ) -> Bool {
            guard count >= 0, content.count - read >= count, buffer.count - written >= count
            else { return false }
            UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(buffer)[written...]
            )
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: content[read..<(read + count)]))
            read += count
            written += count
            return true
        }

        /// Writes lines of base64 until the segment or the buffer ends; the last may be cut.
        mutating func encode(
            _ lineLength: Int,
            _ lines: Int,
            _ content: UnsafeRawBufferPointer,
            from read: inout Int
        ) -> Bool {
            let step = lineLength / 4 * 3
            let raw = UnsafeMutableRawBufferPointer(buffer)
            return Base64Folding.characters.withUnsafeBufferPointer { pairs in
                for _ in 0..<lines {
                    let room = buffer.count - written
                    if room == 0 { return true }
                    guard content.count - read >= step else { return false }
                    if room < lineLength + 2 {
                        var line = Target.line(
                            UnsafeRawBufferPointer(rebasing: content[read..<(read + step)]),
                            pairs
                        )
                        line += [0x0D, 0x0A]
                        for index in 0..<room { buffer[written + index] = line[index] }
                        written += room
                        return true
                    }
                    var output = written
                    var input = read
                    let end = read + step
                    // Six bytes become eight characters in one store: twice as fast as by threes.
                    while input + 6 <= end, input + 8 <= content.count {
                        let group =
                            content.loadUnaligned(fromByteOffset: input, as: UInt64.self).bigEndian
                        let characters =
                            UInt64(pairs[Int(group >> 52)])
                            | UInt64(pairs[Int(group >> 40 & 4_095)]) << 16
                            | UInt64(pairs[Int(group >> 28 & 4_095)]) << 32
                            | UInt64(pairs[Int(group >> 16 & 4_095)]) << 48
                        raw.storeBytes(
                            of: characters.littleEndian,
                            toByteOffset: output,
                            as: UInt64.self
                        )
                        input += 6
                        output += 8
                    }
                    while input < end {
                        let group =
                            Int(content[input]) << 16 | Int(content[input + 1]) << 8
                            | Int(content[input + 2])
                        let first = pairs[group >> 12]
                        let second = pairs[group & 4_095]
                        buffer[output] = UInt8(truncatingIfNeeded: first)
                        buffer[output + 1] = UInt8(truncatingIfNeeded: first >> 8)
                        buffer[output + 2] = UInt8(truncatingIfNeeded: second)
                        buffer[output + 3] = UInt8(truncatingIfNeeded: second >> 8)
                        input += 3
                        output += 4
                    }
                    buffer[output] = 0x0D
                    buffer[output + 1] = 0x0A
                    written = output + 2
                    read = end
                }
                return true
            }
        }

        private static func line(
            _ bytes: UnsafeRawBufferPointer,
            _ pairs: UnsafeBufferPointer<UInt16>
        ) -> [UInt8] {
            var line: [UInt8] = []
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let group =
                    Int(bytes[start]) << 16 | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2])
                for pair in [pairs[group >> 12], pairs[group & 4_095]] {
                    line.append(UInt8(truncatingIfNeeded: pair))
                    line.append(UInt8(truncatingIfNeeded: pair >> 8))
                }
            }
            return line
        }
    }

    // MARK: Tables

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    )

    /// The value of each character; 64 and more for what is none.
    private static let values: [UInt32] = {
        var values = [UInt32](repeating: 1 << 24, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt32(value) }
        return values
    }()

    /// The two characters of each twelve bits, the first in the lower byte.
    private static let characters: [UInt16] = (0..<4_096).map { bits in
        UInt16(alphabet[bits >> 6]) | UInt16(alphabet[bits & 63]) << 8
    }
}
