internal import FrozenProfile
internal import JSONDocument
internal import Measurement
internal import Statistics

/// A history for programs.
public enum HistoryJSON {
    /// The trends as JSON, a version to a line.
    public static func text(_ trends: [History.Trend]) -> String {
        let list = trends.map { trend in
            let points = trend.points.map { "      " + point($0, trend.metric) }.joined(separator: ",\n")
            return
                "    {\"stage\": \(trend.stage?.text.asJSON ?? "null"), \"metric\": \(trend.metric.rawValue.asJSON), "
                + (trend.spanOutcome.map { "\"first_to_last\": \($0.word.asJSON), " } ?? "")
                + "\"versions\": [\n\(points)\n    ]}"
        }
        return "{\n  \"schema_version\": \"1.1\",\n  \"kind\": \"freeze-profile.history\",\n"
            + "  \"step_false_alarm_rate\": \(ChangePoints.falseAlarmRate.fixed(2)),\n"
            + "  \"trends\": [\n\(list.joined(separator: ",\n"))\n  ]\n}\n"
    }

    private static func point(_ point: History.Point, _ metric: Metric) -> String {
        func number(_ value: Double) -> String { value.isFinite ? value.fixed(metric.decimals) : "null" }
        let value =
            switch point.value {
            case .value(let value): number(value)
            case .unavailable(let reason): "{\"unavailable\": \(reason.asJSON)}"
            }
        var members = [
            ("release", point.release.asJSON), ("date", point.date.asJSON), ("value", value),
            ("change_pct", point.changePercent.map { $0.isFinite ? $0.fixed(3) : "null" } ?? "null"),
            ("step", "\(point.isChangePoint)"),
        ]
        if let outcome = point.outcome { members.append(("verdict", outcome.word.asJSON)) }
        if let interval = point.interval {
            members.append(("interval", "[\(number(interval.lower)), \(number(interval.upper))]"))
        }
        if let reason = point.breakReason { members.append(("not_compared", reason.asJSON)) }
        return "{" + members.map { "\($0.0.asJSON): \($0.1)" }.joined(separator: ", ") + "}"
    }
}
