import Glibc
import Wire

/// Cuts what an IMAP server sends into lines with the least possible work.
///
/// FETCH responses, which are most of what a load receives, are only counted; literals are skipped
/// unread; every other response is handed out as its first line.
///
/// RFC 9051 §7, RFC 9051 §4.3
struct ResponseScanner {
    /// The beginning of a line whose end has not come.
    private var held: [UInt8] = []
    /// Bytes of the present literal still to come.
    private var literal = 0
    /// The next line goes on with a response that a literal interrupted.
    private var continues = false

    /// FETCH responses begun so far.
    private(set) var fetches = 0
    /// Bytes of literals announced so far.
    private(set) var literalBytes = 0

    /// Reads on in `bytes` from `position` to the first line of the next response that is no FETCH;
    /// nil when the bytes are used up.
    mutating func next(in bytes: UnsafeRawBufferPointer, from position: inout Int) -> [UInt8]? {
        while position < bytes.count {
            if literal > 0 {
                let skipped = min(literal, bytes.count - position)
                literal -= skipped
                position += skipped
                continue
            }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            guard
                let base = rest.baseAddress,
                let found = memchr(base, Int32(UInt8.lf), rest.count)
            else {
                held.append(contentsOf: rest)
                position = bytes.count
                return nil
            }
            let length = UnsafeRawPointer(found) - base + 1
            position += length
            let line = UnsafeRawBufferPointer(rebasing: rest[..<length])
            if held.isEmpty {
                if let response = take(line) { return response }
            } else {
                var whole = held
                whole.append(contentsOf: line)
                held.removeAll(keepingCapacity: true)
                if let response = whole.withUnsafeBytes({ take($0) }) { return response }
            }
        }
        return nil
    }

    /// Takes one line with its end; returns it when it begins a response worth reading.
    private mutating func take(_ line: UnsafeRawBufferPointer) -> [UInt8]? {
        let begins = !continues
        if let count = Self.literalCount(atEndOf: line) {
            literal = count
            literalBytes += count
            continues = true
        } else {
            continues = false
        }
        guard begins else { return nil }
        if Self.isFetch(line) {
            fetches += 1
            return nil
        }
        var end = line.count
        while end > 0, line[end - 1] == .lf || line[end - 1] == .cr { end -= 1 }
        return Array(line[..<end])
    }

    /// The number in `{number}` before the end of the line.
    private static func literalCount(atEndOf line: UnsafeRawBufferPointer) -> Int? {
        var place = line.count - 2
        guard place > 1, line[place] == .cr, line[place - 1] == 0x7D else { return nil }
        place -= 2
        var value = 0
        var scale = 1
        while place >= 0, line[place].isDigit, scale <= 1_000_000_000_000 {
            value += Int(line[place] - 0x30) * scale
            scale *= 10
            place -= 1
        }
        return place >= 0 && line[place] == 0x7B && scale > 1 ? value : nil
    }

    /// True for `* number FETCH …`.
    private static func isFetch(_ line: UnsafeRawBufferPointer) -> Bool {
        guard line.count > 9, line[0] == 0x2A, line[1] == .space, line[2].isDigit else {
            return false
        }
        var place = 3
        while place < line.count, line[place].isDigit { place += 1 }
        return place + 6 < line.count && line[place] == .space
            && line[place + 1].uppercased == 0x46 && line[place + 2].uppercased == 0x45
            && line[place + 3].uppercased == 0x54
    }
}
