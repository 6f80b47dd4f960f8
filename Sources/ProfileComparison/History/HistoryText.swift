internal import FrozenProfile
internal import Measurement

/// A history as tables of 80 columns.
public struct HistoryText: Sendable {
    private let glyphs: [Character]
    private static let sparkWidth = 22

    /// - Parameter usesUTF8: Whether the terminal shows more than ASCII.
    public init(usesUTF8: Bool) {
        glyphs = Array(usesUTF8 ? "▁▂▃▄▅▆▇█" : "_.-~=+*#")
    }

    /// One line per trend: where it began, where it is, and how it went.
    public func overview(_ trends: [History.Trend]) -> String {
        guard let first = trends.first else { return "" }
        let versions = first.points.count
        var lines = [
            "\(title(first.metric)) of \(versions) version\(versions == 1 ? "" : "s"), "
                + "\(PlainText.sanitized(first.points.first?.release ?? "", maximumCharacters: 200)) to \(PlainText.sanitized(first.points.last?.release ?? "", maximumCharacters: 200))",
            "",
            row("stage", "first", "last", "change", "", "trend"),
            String(repeating: "-", count: 80),
        ]
        for trend in trends {
            let part =
                trend.parts.last { range in range.contains { trend.points[$0].value.value != nil } } ?? 0..<0
            let values = part.compactMap { trend.points[$0].value.value }
            let change =
                zip([values.first], [values.last]).compactMap { percent($0, $1) }.first
                .map { Self.marked($0, trend.spanOutcome) } ?? ""
            let steps = part.count { trend.points[$0].isChangePoint }
            lines.append(
                row(
                    trend.stage?.text ?? "whole run", number(values.first, trend.metric),
                    number(values.last, trend.metric), change,
                    steps > 0 ? "\(steps) step\(steps == 1 ? "" : "s")" : "",
                    sparkline(part.map { trend.points[$0].value.value })
                ))
        }
        return (lines + explanation(trends)).joined(separator: "\n") + "\n"
    }

    /// One line per version.
    public func detail(_ trend: History.Trend) -> String {
        let known = trend.points.compactMap(\.value.value)
        var lines = [
            "\(title(trend.metric)) of \(trend.stage?.text ?? "the whole run")",
            sparkline(trend.points.map(\.value.value)), "",
        ]
        lines.append(
            "date".padded(to: 10) + "  " + "version".padded(to: 20) + "  "
                + title(trend.metric).leftPadded(to: 11) + "  "
                + "change".leftPadded(to: 9)
                + (trend.points.contains { $0.outcome != nil } ? "  verdict" : ""))
        lines.append(String(repeating: "-", count: 80))
        let most = known.max() ?? 0
        // What a comparison says is worth more than a bar.
        let hasVerdicts = trend.points.contains { $0.outcome != nil }
        var reasons: [String] = []
        for point in trend.points {
            if let reason = point.breakReason {
                lines += TextLines.marked("~", "not compared: \(reason)", width: 80)
            }
            let value: String
            switch point.value {
            case .value(let known): value = number(known, trend.metric)
            case .unavailable(let reason):
                if !reasons.contains(reason) { reasons.append(reason) }
                value = "n/a (\((reasons.firstIndex(of: reason) ?? 0) + 1))"
            }
            let change = point.changePercent.map { Self.marked(Self.signed($0), point.outcome) } ?? ""
            let bar =
                point.value.value.map { most > 0 ? String(repeating: "=", count: Int(13 * $0 / most)) : "" }
                ?? ""
            let verdict = hasVerdicts ? Self.words(point.outcome) : bar
            let mark = point.isChangePoint ? "<- step" : ""
            let cells = [
                String(PlainText.sanitized(point.date, maximumCharacters: 200).prefix(10)).padded(to: 10),
                TextLines.cut(PlainText.sanitized(point.release, maximumCharacters: 200), to: 20).padded(
                    to: 20), value.leftPadded(to: 11),
                change.leftPadded(to: 9), verdict.padded(to: 13), mark,
            ]
            lines.append(trimmed(cells.joined(separator: "  ")))
        }
        for (index, reason) in reasons.enumerated() {
            lines += TextLines.marked(
                "(\(index + 1))", PlainText.sanitized(reason, maximumCharacters: 200) + ".", width: 78)
        }
        return (lines + explanation([trend])).joined(separator: "\n") + "\n"
    }

    /// A change with a mark, where no comparison confirms it.
    private static func marked(_ change: String, _ outcome: Comparison.Outcome?) -> String {
        switch outcome {
        case .verdict(.inconclusive), .notComparable: "~" + change
        case .verdict, nil: change
        }
    }

    private static func words(_ outcome: Comparison.Outcome?) -> String {
        switch outcome {
        case nil: ""
        case .notComparable: "not compared"
        case .verdict(let verdict): verdict.word
        }
    }

    private func explanation(_ trends: [History.Trend]) -> [String] {
        var sentences: [String] = []
        let outcomes = trends.flatMap { trend in [trend.spanOutcome] + trend.points.map(\.outcome) }
        if outcomes.contains(where: { Self.marked("", $0) == "~" }) {
            sentences.append(
                "~ is no change that could be shown: sessions may differ by as much, or the versions may not be compared. "
                    + "'freeze-profile diff OLD NEW' says why, and what would decide.")
        }
        if trends.contains(where: { $0.points.contains(where: \.isChangePoint) }) {
            sentences.append(
                "A step begins a new level: a place that parts the versions more than 95 % of random orders would. In a "
                    + "series without any, one is found in at most 5 % of cases.")
        } else if trends.contains(where: { trend in
            trend.parts.allSatisfy { $0.count < ChangePoints.fewestValues }
        }) {
            sentences.append(
                "Steps are looked for in \(ChangePoints.fewestValues) versions or more on one machine and workload."
            )
        }
        if trends.contains(where: { $0.parts.count > 1 }) {
            sentences.append(
                "Versions from another machine or of other work are not compared; first, last and trend are of the latest "
                    + "ones that belong together.")
        }
        return sentences.isEmpty ? [] : [""] + sentences.flatMap { TextLines.wrapped($0, width: 80) }
    }

    private func row(
        _ stage: String, _ first: String, _ last: String, _ change: String, _ steps: String, _ trend: String
    ) -> String {
        trimmed(
            TextLines.cut(stage, to: 18).padded(to: 18) + "  " + first.leftPadded(to: 8) + "  "
                + last.leftPadded(to: 8)
                + "  " + change.leftPadded(to: 8) + "  " + TextLines.cut(steps, to: 7).padded(to: 7) + " "
                + trend)
    }

    private func trimmed(_ text: String) -> String { String(text.reversed().drop { $0 == " " }.reversed()) }

    /// Instructions are shown in millions.
    private func title(_ metric: Metric) -> String { metric == .instructions ? "M instr." : metric.title }

    private func number(_ value: Double?, _ metric: Metric) -> String {
        guard let value = value.map({ metric == .instructions ? $0 / 1e6 : $0 }) else { return "n/a" }
        return value.magnitude >= 1e7 ? ">9999999" : value.fixed(value >= 1000 ? 0 : value >= 100 ? 1 : 3)
    }

    private func percent(_ first: Double?, _ last: Double?) -> String? {
        guard let first, let last, first > 0 else { return nil }
        return Self.signed(100 * (last - first) / first)
    }

    private static func signed(_ percent: Double) -> String {
        guard percent.magnitude < 10_000 else { return percent < 0 ? "<-9999 %" : ">9999 %" }
        let text = percent.fixed(1)
        return (percent >= 0.05 ? "+" : "") + (text == "-0.0" ? "0.0" : text) + " %"
    }

    /// The values as a line of bars from the smallest to the largest; of many values the median of neighbours. A blank is
    /// a value that is not there.
    func sparkline(_ values: [Double?]) -> String {
        let width = min(values.count, Self.sparkWidth)
        guard width > 0 else { return "" }
        let buckets = (0..<width).map { bucket in
            FrozenProfile.median(
                values[bucket * values.count / width..<(bucket + 1) * values.count / width].compactMap(\.self)
            )
        }
        let known = buckets.compactMap(\.self)
        guard let least = known.min(), let most = known.max() else {
            return String(repeating: " ", count: width)
        }
        return String(
            buckets.map { value -> Character in
                guard let value else { return " " }
                guard most > least else { return glyphs[3] }
                return glyphs[min(7, Int(8 * (value - least) / (most - least)))]
            })
    }
}
