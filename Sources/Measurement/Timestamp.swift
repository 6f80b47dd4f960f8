/// A moment on the wall clock, counted from the Unix epoch.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public var nanosecondsSinceEpoch: Int64

    /// A moment so many nanoseconds after the epoch.
    public init(nanosecondsSinceEpoch: Int64) {
        self.nanosecondsSinceEpoch = nanosecondsSinceEpoch
    }

    /// A moment so many seconds after the epoch: nil unless finite and within the years 1970 to 2200.
    public init?(secondsSinceEpoch: Double) {
        guard secondsSinceEpoch.isFinite, (0...7_258_118_400).contains(secondsSinceEpoch) else { return nil }
        // In two parts: the product of the whole would have 18 digits, two more than a double holds.
        let whole = secondsSinceEpoch.rounded(.down)
        nanosecondsSinceEpoch =
            Int64(whole) * 1_000_000_000 + Int64(((secondsSinceEpoch - whole) * 1e9).rounded())
    }

    /// Seconds since the epoch. A double holds today's value to a quarter of a microsecond.
    public var secondsSinceEpoch: Double {
        Double(nanosecondsSinceEpoch) / 1e9
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch
    }

    /// The time from one moment to another, negative when the other is earlier.
    public func duration(to other: Timestamp) -> Duration {
        Duration(nanosecondCount: other.nanosecondsSinceEpoch - nanosecondsSinceEpoch)
    }

    /// The moment in UTC with milliseconds, such as `2026-02-10T14:03:01.250Z`.
    public var iso8601: String {
        let milliseconds = Int(nanosecondsSinceEpoch.quotientFloored(by: 1_000_000) % 1000)
        return iso8601WithoutFraction.dropLast() + ".\(((milliseconds + 1000) % 1000).zeroPadded(to: 3))Z"
    }

    /// The moment in UTC to the second, such as `2026-02-10T14:03:01Z`.
    public var iso8601WithoutFraction: String {
        let second = nanosecondsSinceEpoch.quotientFloored(by: 1_000_000_000)
        let day = second.quotientFloored(by: 86_400)
        let inDay = second - day * 86_400
        let (year, month, dayOfMonth) = Timestamp.civilDate(daysSinceEpoch: day)
        let clock = [inDay / 3600, inDay / 60 % 60, inDay % 60].map { $0.zeroPadded(to: 2) }
        return "\(year)-\(month.zeroPadded(to: 2))-\(dayOfMonth.zeroPadded(to: 2))T"
            + clock.joined(separator: ":") + "Z"
    }

    /// The day in UTC, such as `2026-02-10`.
    public var dateOnly: String {
        String(iso8601WithoutFraction.prefix(10))
    }

    /// The proleptic Gregorian date of a day number, by Howard Hinnant's `civil_from_days`.
    private static func civilDate(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = daysSinceEpoch + 719_468
        let era = shifted.quotientFloored(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension Int64 {
    /// The quotient rounded towards negative infinity, so that moments before the epoch fall on their own day.
    fileprivate func quotientFloored(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
