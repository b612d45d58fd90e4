import Wire

/// A moment as a Date field gives it: the time, and the zone it was written in.
///
/// RFC 5322 §3.3
package struct MailDate: Hashable, Sendable {
    /// Seconds since 1970 in UTC.
    package let unixSeconds: Int64
    /// Minutes east of UTC.
    package let zoneMinutes: Int

    package init(unixSeconds: Int64, zoneMinutes: Int = 0) {
        self.unixSeconds = unixSeconds
        self.zoneMinutes = zoneMinutes
    }

    /// The day as it was written, in days since 1 January 1970; SENTON and its like compare it.
    ///
    /// RFC 9051 §6.4.4
    package var writtenDay: Int {
        let local = unixSeconds + Int64(zoneMinutes) * 60
        return Int(local >= 0 ? local / 86_400 : (local - 86_399) / 86_400)
    }

    /// Reads a field's value in any order of its pieces that leaves no doubt; nil when day, month,
    /// year or time of day is missing or impossible.
    ///
    /// RFC 5322 §3.3, §4.3
    package init?(parsing value: ArraySlice<UInt8>) {
        var pieces = DatePieces()
        for token in Self.tokens(value.prefix(200)) { pieces.read(token[...]) }
        guard let date = pieces.date else { return nil }
        self = date
    }

    /// As a Date field wants it: `Fri, 21 Nov 1997 09:55:06 -0600`.
    package var text: String {
        let local = unixSeconds + Int64(zoneMinutes) * 60
        let day = writtenDay
        let second = Int(local - Int64(day) * 86_400)
        let civil = CivilDay(number: day)
        let zone = abs(zoneMinutes)
        let time = [second / 3_600, second / 60 % 60, second % 60].map(Self.twoDigits)
        let sign = zoneMinutes < 0 ? "-" : "+"
        return
            "\(Self.weekdays[((day % 7) + 11) % 7]), \(civil.day) \(Self.months[civil.month - 1])"
            + " \(civil.year) \(time.joined(separator: ":"))"
            + " \(sign)\(Self.twoDigits(zone / 60))\(Self.twoDigits(zone % 60))"
    }

    fileprivate static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    fileprivate static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }

    // Words between blanks and commas; comments are passed over, and what a colon joins is one.
    private static func tokens(_ value: ArraySlice<UInt8>) -> [[UInt8]] {
        var lexer = Lexer(Array(value), 0..<value.count)
        var tokens: [[UInt8]] = []
        while true {
            lexer.skipBlanksAndComments()
            if lexer.isAtEnd { return tokens }
            let word = lexer.take { !Lexer.isBlank($0) && $0 != 0x2C && $0 != 0x28 }
            if word.isEmpty {
                lexer.position += 1
            } else {
                let continues = lexer.bytes[word.lowerBound] == 0x3A || tokens.last?.last == 0x3A
                if continues, let last = tokens.popLast() {
                    tokens.append(last + lexer.bytes[word])
                } else {
                    tokens.append(Array(lexer.bytes[word]))
                }
            }
        }
    }
}

/// A day of the Gregorian calendar.
private struct CivilDay {
    let year: Int
    let month: Int
    let day: Int

    // Years are counted from March, so that the leap day is the last of its year.
    init(number: Int) {
        let shifted = number + 719_468
        let era = shifted >= 0 ? shifted / 146_097 : (shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970; nil for a day that the calendar does not have.
    static func number(year: Int, month: Int, day: Int) -> Int? {
        guard (1...9_999).contains(year), (1...12).contains(month), (1...31).contains(day) else {
            return nil
        }
        let marchYear = month > 2 ? year : year - 1
        let era = marchYear / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let number = era * 146_097 + dayOfEra - 719_468
        return CivilDay(number: number).day == day ? number : nil
    }
}

/// What has been read of a date so far.
private struct DatePieces {
    private var year: Int?
    private var month: Int?
    private var day: Int?
    private var seconds: Int?
    private var zone: Int?
    private var isAfternoon: Bool?

    var date: MailDate? {
        guard let year, let month, let day, var seconds,
            let number = CivilDay.number(year: year, month: month, day: day)
        else { return nil }
        if let isAfternoon, seconds < 13 * 3_600 {
            seconds = seconds % (12 * 3_600) + (isAfternoon ? 12 * 3_600 : 0)
        }
        let zone = zone ?? 0
        return MailDate(
            unixSeconds: Int64(number) * 86_400 + Int64(seconds) - Int64(zone) * 60,
            zoneMinutes: zone
        )
    }

    mutating func read(_ token: ArraySlice<UInt8>) {
        guard let first = token.first else { return }
        if first == 0x2B || first == 0x2D {
            if seconds != nil, zone == nil { readZone(token) }
        } else if first.isDigit {
            if token.contains(0x3A) { readTime(token) } else { readNumbers(token) }
        } else if first.isAlpha {
            readWord(token)
        }
    }

    private mutating func readWord(_ token: ArraySlice<UInt8>) {
        if month == nil, let number = Self.month(token) {
            month = number
        } else if token.equalsIgnoringCase("AM") || token.equalsIgnoringCase("PM") {
            isAfternoon = token.first?.lowercased == 0x70
        } else if zone == nil, seconds != nil {
            zone = Self.zoneName(token)
        }
    }

    private static func month(_ name: ArraySlice<UInt8>) -> Int? {
        guard name.count >= 3 else { return nil }
        let start = name.prefix(3)
        let number = MailDate.months.firstIndex { month in
            zip(start, month.utf8).allSatisfy { $0.lowercased == $1.lowercased }
        }
        return number.map { $0 + 1 }
    }

    private static func zoneName(_ name: ArraySlice<UInt8>) -> Int? {
        let zones: [(StaticString, Int)] = [
            ("UT", 0), ("UTC", 0), ("GMT", 0), ("Z", 0), ("EST", -300), ("EDT", -240),
            ("CST", -360), ("CDT", -300), ("MST", -420), ("MDT", -360), ("PST", -480),
            ("PDT", -420), ("CET", 60), ("CEST", 120), ("MET", 60), ("MEST", 120),
            ("WET", 0), ("WEST", 60), ("BST", 60), ("EET", 120), ("EEST", 180), ("JST", 540),
        ]
        return zones.first { name.equalsIgnoringCase($0.0) }?.1
    }

    // `+hhmm`, also `+hh:mm`; an impossible zone is none.
    private mutating func readZone(_ token: ArraySlice<UInt8>) {
        let digits = token.dropFirst().filter { $0 != 0x3A }
        guard digits.count == 4, digits.allSatisfy(\.isDigit) else { return }
        let number = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard number / 100 <= 23, number % 100 <= 59 else { return }
        let minutes = number / 100 * 60 + number % 100
        zone = token.first == 0x2D ? -minutes : minutes
    }

    private mutating func readTime(_ token: ArraySlice<UInt8>) {
        guard seconds == nil else { return }
        var cursor = Cursor(token)
        // The date of ISO 8601 may stand before the time.
        if let mark = token.firstIndex(where: { $0.lowercased == 0x74 }) {
            readNumbers(token[..<mark])
            cursor = Cursor(token[(mark + 1)...])
        }
        guard let hour = cursor.takeNumber(Int.self), cursor.take(0x3A),
            let minute = cursor.takeNumber(Int.self), hour < 24, minute < 60
        else { return }
        var second = 0
        if cursor.take(0x3A), let number = cursor.takeNumber(Int.self), number <= 60 {
            second = min(number, 59)
        }
        seconds = hour * 3_600 + minute * 60 + second
        if cursor.take(0x2E) { _ = cursor.take { $0.isDigit } }
        if let rest = cursor.peek, rest == 0x2B || rest == 0x2D {
            readZone(cursor.rest)
        } else if cursor.peek?.isAlpha == true {
            readWord(cursor.rest)
        }
    }

    // A day or a year, or both with the month between hyphens or slashes.
    private mutating func readNumbers(_ token: ArraySlice<UInt8>) {
        let pieces = token.split { $0 == 0x2D || $0 == 0x2F }
        if pieces.count == 3, pieces[0].count == 4 {
            readYear(pieces[0])
            month = Self.number(pieces[1]) ?? Self.month(pieces[1])
            day = Self.number(pieces[2])
            return
        }
        if pieces.count == 3 {
            day = Self.number(pieces[0])
            month = Self.month(pieces[1])
            readYear(pieces[2])
            return
        }
        if day == nil, token.count <= 2 { day = Self.number(token) } else { readYear(token) }
    }

    private mutating func readYear(_ digits: ArraySlice<UInt8>) {
        guard year == nil, let number = Self.number(digits) else { return }
        switch digits.count {
        case 4: year = number
        case 3: year = 1_900 + number
        case 2: year = number < 50 ? 2_000 + number : 1_900 + number
        default: break
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...4).contains(digits.count), digits.allSatisfy(\.isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
