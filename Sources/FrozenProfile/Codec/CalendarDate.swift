/// Dates as they stand in profiles: by their order, the newest version is found.
enum CalendarDate {
    private static let days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

    /// Whether a text begins with a day of the Gregorian calendar, `2026-02-10`, that is its end or followed by a time,
    /// `T14:20:00Z` or ` 14:20`, if by anything.
    static func isValid(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            return range.reduce(Int?.some(0)) { value, index in
                guard let value, (0x30...0x39).contains(bytes[index]) else { return nil }
                return value * 10 + Int(bytes[index] - 0x30)
            }
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), (1...12).contains(month)
        else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let last = month == 2 && isLeap ? 29 : days[month - 1]
        guard (1...last).contains(day) else { return false }
        if bytes.count == 10 { return true }
        guard bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: " "), let hour = number(11..<13),
            let minute = number(14..<16), bytes[13] == UInt8(ascii: ":")
        else { return false }
        return hour < 24 && minute < 60
    }
}
