/// Dates as header and status fields write them, in UTC.
///
/// RFC 5322 §3.3
enum MailDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    static func text(_ milliseconds: Int64) -> String {
        let date = CivilDate(milliseconds)
        let day = days[date.weekday]
        let clock = "\(two(date.hour)):\(two(date.minute)):\(two(date.second))"
        return "\(day), \(date.day) \(months[date.month - 1]) \(date.year) \(clock) +0000"
    }

    static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

/// A moment in UTC taken apart, by the proleptic Gregorian calendar.
struct CivilDate {
    let year: Int
    /// From 1 to 12.
    let month: Int
    /// From 1 to 31.
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int
    /// Days since a Thursday, 0 to 6.
    let weekday: Int

    init(_ milliseconds: Int64) {
        // Years 1 to 9999 cover everything that a clock or a table can hold.
        let bounded = min(max(milliseconds, -62_135_596_800_000), 253_402_300_799_000)
        let seconds = Int(bounded >= 0 ? bounded / 1000 : (bounded - 999) / 1000)
        let dayNumber = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let inDay = seconds - dayNumber * 86_400
        hour = inDay / 3_600
        minute = inDay / 60 % 60
        second = inDay % 60
        weekday = (dayNumber % 7 + 7) % 7

        // Days are counted from 1 March of the year 0 in eras of 400 years, each of 146,097 days.
        let shifted = dayNumber + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
