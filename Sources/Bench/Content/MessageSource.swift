import NIOCore
import Wire

/// The messages of a load: each unique, all determined by the seed.
///
/// Up to 16 KB a message is plain text; up to 64 KB it is text and HTML (multipart/alternative);
/// above, text with one attachment of random bytes in base64 (multipart/mixed). Pieces of the large
/// pools are shared, not copied: making a message costs about a microsecond.
package struct MessageSource: Sendable {
    private let prose: TextPool
    private let attachment: TextPool?
    private let seed: UInt64
    private let mix: SizeMix
    /// Seconds since 1970 of message 0; message n is n seconds younger.
    private let firstDate: Int

    /// At most this size a message is one text part, in bytes.
    static let largestPlain = 16 << 10
    /// At most this size a message is two text parts, in bytes.
    static let largestAlternative = 64 << 10

    package init(mix: SizeMix, seed: UInt64, firstDate: Int) {
        self.mix = mix
        self.seed = seed
        self.firstDate = firstDate
        prose = .prose(bytes: max(8 << 20, min(mix.largest, 32 << 20)), seed: 0x7265_6C61_6973)
        attachment =
            mix.largest > Self.largestAlternative
            ? .attachment(bytes: max(16 << 20, mix.largest * 2), seed: 0x6265_6E63_68) : nil
    }

    /// One message, in pieces to be written one after the other, every line ended by CR LF.
    package struct Message {
        var pieces: [ByteBuffer]

        /// The message's size in bytes.
        package var size: Int { pieces.reduce(0) { $0 + $1.readableBytes } }

        /// The message as text.
        package var text: String { pieces.map { String(buffer: $0) }.joined() }
    }

    /// Message `index`, as from `sender` to `recipient`.
    package func message(_ index: Int, from sender: String, to recipient: String) -> Message {
        let size = mix.size(of: index, seed: seed)
        var random = RandomNumbers(seed: seed &* 0xD6E8_FEB8_6659_FD93 ^ UInt64(index))
        let mark = random.next()
        var head = [UInt8]()
        head.reserveCapacity(1024)
        header(&head, index: index, mark: mark, sender: sender, recipient: recipient)
        if size <= Self.largestPlain {
            head.append("Content-Type: text/plain; charset=utf-8\r\n\r\n")
            let body = prose.slice(about: size - head.count, random: &random)
            return Message(pieces: [ByteBuffer(bytes: head), body])
        }
        let boundary = "=_" + String(mark, radix: 36)
        if size <= Self.largestAlternative {
            return alternative(head, size: size, boundary: boundary, random: &random)
        }
        return mixed(head, size: size, boundary: boundary, random: &random)
    }

    private func alternative(
        _ start: [UInt8],
        size: Int,
        boundary: String,
        random: inout RandomNumbers
    ) -> Message {
        var head = start
        head.append(text: "Content-Type: multipart/alternative; boundary=\"\(boundary)\"\r\n\r\n")
        head.append(text: "--\(boundary)\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n")
        let plain = prose.slice(about: size * 2 / 5, random: &random)
        var middle = [UInt8]()
        middle.append(text: "\r\n--\(boundary)\r\nContent-Type: text/html; charset=utf-8\r\n\r\n")
        middle.append("<html><head><title>Note</title></head><body><div class=\"page\"><p>\r\n")
        var end = [UInt8]()
        end.append(text: "</p></div></body></html>\r\n--\(boundary)--\r\n")
        let used = head.count + plain.readableBytes + middle.count + end.count
        let html = prose.slice(about: size - used, random: &random)
        return Message(
            pieces: [
                ByteBuffer(bytes: head), plain, ByteBuffer(bytes: middle), html,
                ByteBuffer(bytes: end),
            ]
        )
    }

    private func mixed(
        _ start: [UInt8],
        size: Int,
        boundary: String,
        random: inout RandomNumbers
    ) -> Message {
        var head = start
        head.append(text: "Content-Type: multipart/mixed; boundary=\"\(boundary)\"\r\n\r\n")
        head.append(text: "--\(boundary)\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n")
        let text = prose.slice(about: 3 << 10, random: &random)
        let name = "plan-" + String(random.below(10_000)) + ".jpg"
        var middle = [UInt8]()
        middle.append(text: "\r\n--\(boundary)\r\nContent-Type: image/jpeg; name=\"\(name)\"\r\n")
        middle.append("Content-Transfer-Encoding: base64\r\n")
        middle.append(text: "Content-Disposition: attachment; filename=\"\(name)\"\r\n\r\n")
        var end = [UInt8]()
        end.append(text: "--\(boundary)--\r\n")
        let used = head.count + text.readableBytes + middle.count + end.count
        var pieces = [ByteBuffer(bytes: head), text, ByteBuffer(bytes: middle)]
        if let attachment { pieces.append(attachment.slice(about: size - used, random: &random)) }
        pieces.append(ByteBuffer(bytes: end))
        return Message(pieces: pieces)
    }

    private func header(
        _ head: inout [UInt8],
        index: Int,
        mark: UInt64,
        sender: String,
        recipient: String
    ) {
        var random = RandomNumbers(seed: mark)
        let id = String(mark, radix: 36) + "." + String(index)
        head.append(text: "Date: \(MessageDate.text(firstDate + index))\r\n")
        head.append(text: "From: Bench Sender <\(sender)>\r\n")
        head.append(text: "To: <\(recipient)>\r\n")
        head.append("Subject: ")
        let subject = prose.slice(about: 50, random: &random)
        head.append(contentsOf: subject.readableBytesView.prefix(40).filter { $0 >= .space })
        head.append(text: " \(index)\r\n")
        head.append(text: "Message-ID: <\(id)@load.bench.test>\r\n")
        head.append("MIME-Version: 1.0\r\nUser-Agent: relais-bench\r\n")
    }
}

/// Dates as a message header writes them, always in UTC.
///
/// RFC 5322 §3.3
enum MessageDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    static func text(_ seconds: Int) -> String {
        let (day, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
        // Days from civil, turned round: years begin in March, eras have 146,097 days.
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(days[day % 7]), \(dayOfMonth) \(months[month - 1]) \(year) "
            + "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) +0000"
    }

    private static func two(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
