import Wire

/// A day of the proleptic Gregorian calendar, counted from 1 January 1970.
package struct Day: Hashable, Comparable, Sendable {
    package let number: Int

    package init(number: Int) { self.number = number }

    /// The day in UTC of a time in Unix seconds.
    package init(unixSeconds: Int64) {
        number = Int(unixSeconds / 86_400) - (unixSeconds % 86_400 < 0 ? 1 : 0)
    }

    /// Nil when the calendar has no such day.
    package init?(year: Int, month: Int, day: Int) {
        guard (1...12).contains(month), (1...31).contains(day), (0...9_999).contains(year) else {
            return nil
        }
        // Days from civil date, months counted from March so that the leap day comes last.
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        number = era * 146_097 + dayOfEra - 719_468
        guard civil == (year, month, day) else { return nil }
    }

    package static func < (a: Day, b: Day) -> Bool { a.number < b.number }

    package var civil: (year: Int, month: Int, day: Int) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    /// The number of a month's English abbreviation, 1 to 12.
    static func month(_ name: ArraySlice<UInt8>) -> Int? {
        let names: [StaticString] = [
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ]
        return names.firstIndex { name.equalsIgnoringCase($0) }.map { $0 + 1 }
    }
}

private let monthNames: [StaticString] = [
    "-Jan-", "-Feb-", "-Mar-", "-Apr-", "-May-", "-Jun-", "-Jul-", "-Aug-", "-Sep-", "-Oct-",
    "-Nov-", "-Dec-",
]

extension Array<UInt8> {
    /// Appends a time in Unix seconds as `"dd-Mon-yyyy hh:mm:ss +0000"`, quotes included.
    ///
    /// RFC 9051 §9: `date-time`
    package mutating func append(dateTime unixSeconds: Int64) {
        let day = Day(unixSeconds: unixSeconds)
        let (year, month, dayOfMonth) = day.civil
        let second = Int(unixSeconds - Int64(day.number) * 86_400)
        append(.doubleQuote)
        append(dayOfMonth < 10 ? .space : 0x30 + UInt8(dayOfMonth / 10))
        append(0x30 + UInt8(dayOfMonth % 10))
        append(monthNames[month - 1])
        let written = Swift.min(9_999, Swift.max(0, year))
        twoDigits(written / 100)
        twoDigits(written % 100)
        append(.space)
        twoDigits(second / 3_600)
        append(0x3A)
        twoDigits(second / 60 % 60)
        append(0x3A)
        twoDigits(second % 60)
        append(" +0000\"")
    }

    private mutating func twoDigits(_ number: Int) {
        append(0x30 + UInt8(number / 10 % 10))
        append(0x30 + UInt8(number % 10))
    }
}

extension Parser {
    /// `date`: `1-Feb-1994`, with or without quotes.
    mutating func day() throws(Refusal) -> Day {
        let isQuoted = take(.quote)
        let day = try civilDay()
        if isQuoted { try expect(.quote) }
        return day
    }

    /// `date-time` in Unix seconds.
    mutating func dateTime() throws(Refusal) -> Int64 {
        try expect(.quote)
        while cursor.take(.space) {}
        let day = try civilDay()
        try space()
        let hour = try twoDigits(below: 24)
        try expect(.colon)
        let minute = try twoDigits(below: 60)
        try expect(.colon)
        let second = try twoDigits(below: 61)
        try space()
        let isWest = take(.hyphen)
        if !isWest { guard cursor.take(0x2B) else { throw .bad("Invalid time zone") } }
        let zone = try twoDigits(below: 24) * 60 + twoDigits(below: 60)
        try expect(.quote)
        let local = Int64(day.number) * 86_400 + Int64(hour * 3_600 + minute * 60 + min(second, 59))
        return local - Int64(isWest ? -zone : zone) * 60
    }

    private mutating func civilDay() throws(Refusal) -> Day {
        let day = try number(UInt16.self)
        try expect(.hyphen)
        let month = Day.month(cursor.take(upTo: 3, while: \.isAlpha))
        try expect(.hyphen)
        let year = try number(UInt16.self)
        guard let month, let date = Day(year: Int(year), month: month, day: Int(day)) else {
            throw .bad("Invalid date")
        }
        return date
    }

    private mutating func twoDigits(below limit: Int) throws(Refusal) -> Int {
        guard let digits = cursor.take(count: 2), digits.allSatisfy(\.isDigit) else {
            throw .bad("Invalid time")
        }
        let value = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard value < limit else { throw .bad("Invalid time") }
        return value
    }
}
