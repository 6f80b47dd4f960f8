internal import FrozenProfile
internal import Measurement
internal import ProfileComparison
internal import Statistics

/// Numbers as reports show them.
enum ReportNumbers {
    /// A percentage with its sign and the digits that matter.
    static func signed(_ percent: Double) -> String {
        guard percent.isFinite else { return percent < 0 ? "−∞ %" : "+∞ %" }
        guard percent.magnitude < 10_000 else { return percent < 0 ? "<−9999 %" : ">9999 %" }
        let text = percent.magnitude.fixed(percent.magnitude < 9.95 ? 1 : 0)
        let isZero = text.allSatisfy { $0 == "0" || $0 == "." }
        return (isZero ? "" : percent < 0 ? "−" : "+") + text + " %"
    }

    /// A metric's value: milliseconds of short times, tenths of mebibytes.
    static func value(_ value: Double, _ metric: Metric) -> String {
        switch metric.unit {
        case .seconds: value.fixed(value < 100 ? 3 : 1)
        case .bytes: bytes(value)
        case .count: value < 1_000_000 ? value.fixed(0) : CountedComparison.grouped(value)
        case .mebibytes, .percent: value.fixed(1)
        }
    }

    /// A metric's name where its values have their unit with them.
    static func title(_ metric: Metric) -> String {
        switch metric {
        case .diskRead: "read"
        case .diskWritten: "written"
        case .instructions: "instructions"
        default: metric.title
        }
    }

    /// A number of bytes for a person: `512 B`, `1.5 MiB`.
    static func bytes(_ count: Double) -> String {
        var (value, unit) = (count, 0)
        while value.magnitude >= 1024, unit < 4 { (value, unit) = (value / 1024, unit + 1) }
        return "\(value.fixed(unit == 0 ? 0 : 1)) \(["B", "KiB", "MiB", "GiB", "TiB"][unit])"
    }

    /// A reading of a row: the value, or why there is none.
    static func reading(_ reading: Reading<Double>?, _ metric: Metric) -> String {
        switch reading {
        case nil: "–"
        case .value(let value)?: self.value(value, metric)
        case .unavailable(let reason)?: "unavailable (\(reason))"
        }
    }

    /// What came of a row: its change, or that its stage is new or gone.
    static func change(_ row: ComparisonRow) -> String {
        switch row.presence {
        case .added: "added"
        case .removed: "removed"
        case .both: row.changePercent.map(signed) ?? "not known"
        }
    }

    /// The bounds of a row's change; of an ok the one it rests on.
    static func bounds(_ row: ComparisonRow) -> String {
        guard let change = row.change else { return "" }
        if row.verdict == .unchanged { return "up to \(signed(change.percentUpperBound))" }
        let interval = change.percentInterval
        return "\(signed(interval.lower)) to \(signed(interval.upper))"
    }

    static func budget(_ row: ComparisonRow) -> String {
        guard let budget = row.budget else { return "" }
        let old = row.from?.value ?? 0
        return budget.shown(old: old, of: row.metric) + (budget.isFloor(old: old) ? "*" : "")
    }
}
