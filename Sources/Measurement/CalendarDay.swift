/// A day of the Gregorian calendar, such as `2026-02-28`.
public struct CalendarDay: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The day as `YYYY-MM-DD`, which sorts as days do.
    public let description: String

    /// The day that a text names; nil where it is not of the form `YYYY-MM-DD`, or there is no such day (`2026-02-30`).
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-") else {
            return nil
        }
        func number(_ range: Range<Int>) -> Int? {
            var value = 0
            for byte in bytes[range] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = 10 * value + Int(byte - UInt8(ascii: "0"))
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), year > 0,
            (1...12).contains(month), (1...CalendarDay.days(of: month, in: year)).contains(day)
        else { return nil }
        description = text
    }

    /// The day on which a text of ISO 8601 begins, such as `2026-02-10T14:20:00Z`.
    public init?(beginningOf text: String) {
        guard text.utf8.count == 10 || text.utf8.dropFirst(10).first == UInt8(ascii: "T") else { return nil }
        self.init(String(text.prefix(10)))
    }

    public static func < (left: CalendarDay, right: CalendarDay) -> Bool {
        left.description < right.description
    }

    /// How many days later another day is; negative for an earlier one.
    public func days(to other: CalendarDay) -> Int { other.number - number }

    private static func days(of month: Int, in year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    /// The number of the day since the beginning of year 0 (Howard Hinnant's `days_from_civil`, with another origin).
    private var number: Int {
        let parts = description.split(separator: "-").compactMap { Int($0) }
        let (month, day) = (parts[1], parts[2])
        let year = month <= 2 ? parts[0] - 1 : parts[0]
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return 365 * year + year / 4 - year / 100 + year / 400 + dayOfYear
    }
}
