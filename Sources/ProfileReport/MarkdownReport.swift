internal import FrozenProfile
internal import FunctionAttribution
internal import Measurement
internal import ProfileComparison

/// A comparison as Markdown for a pull request: what regressed is open, the rest is folded.
public enum MarkdownReport {
    /// The report, in the Markdown of GitHub and GitLab.
    public static func render(_ report: ComparisonReport) -> String {
        let comparison = report.comparison
        var lines = ["### \(MarkdownText.escaped(comparison.headline))", ""]
        lines += sides(comparison)
        if case .notComparable = comparison.outcome {
            lines += list("What forbids comparing them:", comparison.comparability.refusals.map(\.sentence))
        } else {
            lines += groups(report)
        }
        lines += CountedTables.markdown(comparison)
        lines += list(
            "Allowed although it differs:",
            comparison.comparability.allowed.map { "\($0.key): \($0.sentence)" })
        lines += folded(
            "About these numbers",
            comparison.comparability.warnings.map { "- " + MarkdownText.escaped($0.sentence) }
                + (notes(comparison) + report.stacks.refusals).map { "- " + MarkdownText.escaped($0) })
        return lines.joined(separator: "\n") + "\n"
    }

    private static func notes(_ comparison: Comparison) -> [String] {
        guard !comparison.rows.isEmpty else { return comparison.notes }
        let notes = FootNotes(comparison)
        return notes.exact + notes.explanations
    }

    private static func sides(_ comparison: Comparison) -> [String] {
        func line(_ name: String, _ side: Comparison.Side) -> String {
            let commit = side.commit.map { " (\(MarkdownText.code(String($0.prefix(12)))))" } ?? ""
            let sessions = side.sessions == 1 ? "1 session" : "\(side.sessions) sessions"
            let runs = side.runs == 1 ? "1 run" : "\(side.runs) runs"
            return "- \(name) **\(MarkdownText.escaped(side.release))**\(commit), "
                + "\(MarkdownText.escaped(side.date)), \(runs) in \(sessions)"
        }
        return [line("from", comparison.from), line("to", comparison.to), ""]
    }

    private static func groups(_ report: ComparisonReport) -> [String] {
        let rows = report.comparison.rows
        var lines: [String] = []
        let regressed = rows.filter { $0.verdict == .regressed || $0.ruleFlag != nil }
        if !regressed.isEmpty {
            lines += folded(
                "Regressed (\(regressed.count))", table(regressed, report.comparison.boundsTitle),
                isOpen: true)
        }
        for attribution in report.stacks.attributions { lines += why(attribution, report) }
        let others: [(String, [ComparisonRow])] = [
            ("Inconclusive", rows.filter { $0.verdict == .inconclusive && $0.ruleFlag == nil }),
            ("Improved", rows.filter { $0.verdict == .improved && $0.ruleFlag == nil }),
            ("Unchanged", rows.filter { $0.verdict == .unchanged && $0.ruleFlag == nil }),
            ("Added stages", rows.filter { $0.presence == .added }),
            ("Removed stages", rows.filter { $0.presence == .removed }),
        ]
        let doubts = FootNotes(report.comparison).doubts.map { "- " + MarkdownText.escaped($0) }
        for (title, rows) in others where !rows.isEmpty {
            let why = title == "Inconclusive" ? [""] + doubts : []
            lines += folded("\(title) (\(rows.count))", table(rows, report.comparison.boundsTitle) + why)
        }
        return lines
    }

    private static func table(_ rows: [ComparisonRow], _ boundsTitle: String) -> [String] {
        var lines = [
            "| stage | metric | from | to | change | \(boundsTitle) | budget | verdict |",
            "|---|---|--:|--:|--:|---|--:|---|",
        ]
        for row in rows {
            let flag = row.ruleFlag.map { "over \($0.maximumDeltaPercent.fixed(1)) % of \($0.key)" }
            let verdict = [row.verdict?.word, flag].compactMap(\.self).joined(separator: "; ")
            let cells = [
                row.stage?.text ?? "whole run", row.metric.title, ReportNumbers.reading(row.from, row.metric),
                ReportNumbers.reading(row.to, row.metric), ReportNumbers.change(row),
                ReportNumbers.bounds(row),
                ReportNumbers.budget(row), verdict,
            ]
            lines.append("| " + cells.map { MarkdownText.escaped($0) }.joined(separator: " | ") + " |")
        }
        return lines
    }

    private static func why(_ attribution: Attribution, _ report: ComparisonReport) -> [String] {
        let text = AttributionText(attribution)
        let functions = text.shownFunctions()
        var lines = [
            "| \(text.column) | from \(text.unit) | to \(text.unit) | change | of it | |",
            "|---|--:|--:|--:|--:|---|",
        ]
        for function in functions {
            let file = report.stacks.suspectFile(of: function).map { "changed in \($0)" }
            let remark = [text.remark(function), file ?? ""].filter { !$0.isEmpty }.joined(separator: "; ")
            let cells = [
                text.number(function.before.charged), text.number(function.after.charged),
                text.signed(function.chargedChange),
                text.share(function) ?? "", remark,
            ]
            lines.append(
                "| \(MarkdownText.code(function.shownName)) | "
                    + cells.map { MarkdownText.escaped($0) }.joined(separator: " | ") + " |")
        }
        let rest = text.rest(of: functions)
        if rest.others > 0 {
            lines.append("| \(rest.others) other functions | | | \(text.signed(rest.change)) | | |")
        }
        lines.append("| medians do not add up | | | \(text.signed(rest.residual)) | | |")
        lines += [""] + text.notes.map { "- " + MarkdownText.escaped($0) }
        return folded("Why " + text.title, lines, isOpen: attribution.change > 0)
    }

    /// Lines that a reader can unfold.
    private static func folded(_ title: String, _ lines: [String], isOpen: Bool = false) -> [String] {
        guard !lines.isEmpty else { return [] }
        return ["<details\(isOpen ? " open" : "")><summary>\(MarkdownText.escaped(title))</summary>", ""]
            + lines
            + ["", "</details>", ""]
    }

    private static func list(_ title: String, _ sentences: [String]) -> [String] {
        sentences.isEmpty
            ? [] : ["**\(title)**", ""] + sentences.map { "- " + MarkdownText.escaped($0) } + [""]
    }
}
