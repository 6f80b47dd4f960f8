internal import Measurement
internal import ProfileComparison
internal import Statistics

/// A change with its bounds and its budget, drawn: all of a table on one scale.
struct IntervalDrawing {
    /// The change at either end, in percent.
    private let limit: Double

    private static let width = 180.0

    /// A scale on which most rows fit; what does not ends in an arrow.
    init(_ rows: [ComparisonRow]) {
        let bounds = rows.flatMap { row -> [Double] in
            guard let interval = row.change?.percentInterval else { return [] }
            return [interval.lower.magnitude, interval.upper.magnitude].filter(\.isFinite)
        }.sorted()
        let most = bounds.isEmpty ? 10 : bounds[(bounds.count - 1) * 9 / 10]
        limit = [2, 5, 10, 20, 50].first { $0 >= most } ?? 100
    }

    /// The picture of a row; empty where nothing is known of its bounds.
    func markup(_ row: ComparisonRow) -> String {
        guard let change = row.change else { return "" }
        let interval = change.percentInterval
        let (left, right) = (place(interval.lower), place(interval.upper))
        let label =
            "\(ReportNumbers.change(row)), bounds \(ReportNumbers.bounds(row)), budget \(ReportNumbers.budget(row)); "
            + "the scale ends at \(limit.fixed(0)) %"
        var text =
            "<svg class=\"whisker\" width=\"180\" height=\"18\" viewBox=\"0 0 180 18\" role=\"img\" aria-label=\""
        text += HTMLText.escaped(label) + "\"><title>\(HTMLText.escaped(label))</title>"
        text += line("zero", place(0), 1, place(0), 17)
        if let budget = row.budget {
            let at = place(budget.effectivePercent(old: row.from?.value ?? 0))
            text += line("budget", at, 3, at, 15)
        }
        text += line("interval", left, 9, right, 9)
        text += end(interval.lower, at: left, arrow: 4) + end(interval.upper, at: right, arrow: -4)
        return text + "<circle cx=\"\(place(change.percent).fixed(1))\" cy=\"9\" r=\"3\"/></svg>"
    }

    private func place(_ percent: Double) -> Double {
        let clamped = percent.isNaN ? 0 : min(max(percent, -limit), limit)
        return 8 + (Self.width - 16) * (clamped + limit) / (2 * limit)
    }

    /// A cap, or an arrow where the bound is outside the scale.
    private func end(_ percent: Double, at x: Double, arrow: Double) -> String {
        guard percent.magnitude > limit else { return line("cap", x, 5, x, 13) }
        return line("cap", x, 9, x + arrow, 5) + line("cap", x, 9, x + arrow, 13)
    }

    private func line(_ name: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
        "<line class=\"\(name)\" x1=\"\(x1.fixed(1))\" y1=\"\(y1.fixed(0))\" x2=\"\(x2.fixed(1))\" y2=\"\(y2.fixed(0))\"/>"
    }
}
