internal import Measurement

/// Moments as feeds write them: RFC 822 (`Tue, 03 Feb 2026 06:00:00 GMT`) and ISO 8601 (`2026-02-03T06:00:00Z`).
enum FeedDate {
    /// The moment in a text, nil where it is none.
    static func parse(_ text: String) -> Timestamp? {
        iso8601(text) ?? rfc822(text)
    }

    private static func rfc822(_ text: String) -> Timestamp? {
        var words = text.split { $0.isWhitespace || $0 == "," }.map(String.init)[...]
        // The day of the week may be left out, and says nothing.
        if words.first?.first?.isLetter == true { words.removeFirst() }
        guard words.count >= 3, let day = Int(words[words.startIndex]),
            let month = months.firstIndex(of: words[words.startIndex + 1].prefix(3).lowercased()),
            var year = Int(words[words.startIndex + 2])
        else { return nil }
        if year < 100 { year += year < 70 ? 2000 : 1900 }
        let clock = words.count > 3 ? words[words.startIndex + 3] : "00:00:00"
        let zone = words.count > 4 ? words[words.startIndex + 4] : "GMT"
        guard let seconds = secondsOfDay(clock), let offset = offset(zone) else { return nil }
        return timestamp(year: year, month: month + 1, day: day, seconds: seconds - offset)
    }

    private static func iso8601(_ text: String) -> Timestamp? {
        let halves = text.split(maxSplits: 1) { "Tt ".contains($0) }
        let date = (halves.first ?? "").split(separator: "-")
        guard date.count == 3, date[0].count == 4, let year = Int(date[0]), let month = Int(date[1]),
            let day = Int(date[2])
        else { return nil }
        guard halves.count == 2 else { return timestamp(year: year, month: month, day: day, seconds: 0) }
        let clock = halves[1].prefix { $0.isNumber || $0 == ":" || $0 == "." }
        let zone = halves[1].dropFirst(clock.count)
        guard let seconds = secondsOfDay(String(clock)),
            let offset = offset(zone.isEmpty ? "Z" : String(zone))
        else {
            return nil
        }
        return timestamp(year: year, month: month, day: day, seconds: seconds - offset)
    }

    private static func secondsOfDay(_ text: String) -> Int64? {
        let parts = text.prefix { $0 != "." }.split(separator: ":").compactMap { Int64($0) }
        guard (2...3).contains(parts.count), (0...24).contains(parts[0]), (0...59).contains(parts[1]),
            parts.count == 2 || (0...60).contains(parts[2])
        else { return nil }
        return parts[0] * 3600 + parts[1] * 60 + (parts.count == 3 ? parts[2] : 0)
    }

    /// A zone's distance from UTC in seconds, east positive.
    private static func offset(_ zone: String) -> Int64? {
        if let hours = namedZones[zone.uppercased()] { return hours * 3600 }
        guard let sign = zone.first, sign == "+" || sign == "-" else { return nil }
        let digits = zone.dropFirst().filter { $0 != ":" }
        guard digits.count == 4, let number = Int64(digits), number <= 1400 else { return nil }
        return (sign == "-" ? -1 : 1) * (number / 100 * 3600 + number % 100 * 60)
    }

    private static func timestamp(year: Int, month: Int, day: Int, seconds: Int64) -> Timestamp? {
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else {
            return nil
        }
        let days = daysSinceEpoch(year: year, month: month, day: day)
        guard days < 100_000 else { return nil }
        return Timestamp(nanosecondsSinceEpoch: (Int64(days) * 86_400 + seconds) * 1_000_000_000)
    }

    /// Days from 1970-01-01 in the Gregorian calendar, by counting years from March, so that leap days come last.
    private static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let leapDays = shifted / 4 - shifted / 100 + shifted / 400
        return shifted * 365 + leapDays + (monthFromMarch * 153 + 2) / 5 + day - 1 - 719_468
    }

    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let namedZones: [String: Int64] = [
        "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
        "PST": -8, "PDT": -7,
    ]
}
