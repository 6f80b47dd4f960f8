internal import FrozenProfile
internal import Measurement
public import ProfileComparison

/// A gate's decision as a comment on a pull request. The first line is the verdict, the last what was agreed until when.
public enum GateMarkdown {
    /// Stands in every comment, invisible, so that a bot finds its own and replaces it.
    public static let marker = "<!-- freeze-profile gate -->"

    /// The comment.
    public static func render(_ decision: GateDecision) -> String {
        var lines = ["### \(MarkdownText.escaped(GateText.headline(decision))) \(marker)", ""]
        lines += list("Why there is no decision:", decision.refusals)
        if decision.refusals.isEmpty { lines += list("Instructions:", decision.failures) }
        let groups: [(String, Bool, [GateDecision.Row])] = [
            ("Failed", true, decision.rows.filter { if case .failed = $0.state { true } else { false } }),
            (
                "Undecided", true,
                decision.rows.filter { if case .undecided = $0.state { true } else { false } }
            ),
            ("Accepted", true, decision.rows.filter { if case .accepted = $0.state { true } else { false } }),
            ("Passed", false, decision.rows.filter { $0.state == .passed }),
        ]
        for (title, isOpen, rows) in groups where !rows.isEmpty {
            let count = "\(title) (\(rows.count))"
            let table = self.table(rows, decision.boundsTitle)
            lines +=
                isOpen
                ? ["**\(count)**", ""] + table + [""]
                : ["<details><summary>\(count)</summary>", ""] + table + ["", "</details>", ""]
        }
        lines += list("To be known:", decision.warnings)
        lines.append(MarkdownText.escaped(GateText.agreed(decision), maximumCharacters: 8000))
        return lines.joined(separator: "\n") + "\n"
    }

    private static func table(_ rows: [GateDecision.Row], _ boundsTitle: String) -> [String] {
        [
            "| stage | metric | from | to | change | \(boundsTitle) | budget |",
            "|---|---|--:|--:|--:|---|--:|",
        ]
            + rows.map { one in
                let row = one.row
                let cells = [
                    row.stage?.text ?? "whole run", row.metric.title,
                    ReportNumbers.reading(row.from, row.metric), ReportNumbers.reading(row.to, row.metric),
                    ReportNumbers.change(row), ReportNumbers.bounds(row), ReportNumbers.budget(row),
                ]
                return "| " + cells.map { MarkdownText.escaped($0) }.joined(separator: " | ") + " |"
            }
    }

    private static func list(_ title: String, _ sentences: [String]) -> [String] {
        sentences.isEmpty
            ? [] : ["**\(title)**", ""] + sentences.map { "- " + MarkdownText.escaped($0) } + [""]
    }
}
