internal import FrozenProfile
internal import FunctionAttribution
internal import Measurement
internal import ProfileComparison

/// A comparison as one HTML page.
public enum HTMLComparisonReport {
    /// The page's bytes.
    ///
    /// - Parameter place: Where the page stands on a shelf; nil for a page by itself.
    public static func render(_ report: ComparisonReport, place: PagePlace? = nil) -> [UInt8] {
        let comparison = report.comparison
        var page = HTMLPage(
            title: "\(comparison.from.release) → \(comparison.to.release)", place: place,
            summary: comparison.headline)
        page.add { writer in
            writer.element("p", "class=\"headline \(outcomeClass(comparison))\"", comparison.headline)
            sides(comparison, &writer)
            writer.sentences("What forbids comparing them", comparison.comparability.refusals.map(\.sentence))
            writer.sentences(
                "Allowed although it differs",
                comparison.comparability.allowed.map { "\($0.key): \($0.sentence)" })
            let notes = FootNotes(comparison)
            CountedTables.html(comparison, &writer)
            if !comparison.rows.isEmpty { stages(comparison, &writer) }
            writer.sentences("What is undecided, and what would settle it", notes.doubts)
            writer.sentences("Counts that differ", notes.exact)
            functions(report, &writer)
            writer.element("h2", "", "What the numbers rest on")
            writer.sentences(
                "What differs besides the version", comparison.comparability.warnings.map(\.sentence))
            writer.sentences("Notes", comparison.rows.isEmpty ? comparison.notes : notes.explanations)
            writer.environment([report.profiles.from, report.profiles.to])
        }
        return page.finished(tool: report.tool)
    }

    private static func outcomeClass(_ comparison: Comparison) -> String {
        switch comparison.outcome {
        case .notComparable: "not-comparable"
        case .verdict(let verdict): verdict.rawValue
        }
    }

    private static func sides(_ comparison: Comparison, _ writer: inout HTMLWriter) {
        writer.table(
            caption: "The two sides",
            columns: ["side", "version", "date", "commit"].map { HTMLWriter.Column(title: $0) }
                + ["sessions", "runs"].map { HTMLWriter.Column(title: $0, isNumber: true) },
            rows: [("from", comparison.from), ("to", comparison.to)].map { name, side in
                (
                    "",
                    [
                        .text(name), .text(side.release), .text(side.date),
                        .text(side.commit.map { String($0.prefix(12)) } ?? "not recorded"),
                        .text("\(side.sessions)", value: Double(side.sessions)),
                        .text("\(side.runs)", value: Double(side.runs)),
                    ]
                )
            })
    }

    private static func stages(_ comparison: Comparison, _ writer: inout HTMLWriter) {
        let drawing = IntervalDrawing(comparison.rows)
        writer.element("h2", "", "Stages")
        let rows = comparison.rows.map { row -> (attributes: String, cells: [HTMLWriter.Cell]) in
            let flag = row.ruleFlag.map { "over \($0.maximumDeltaPercent.fixed(1)) % of \($0.key)" }
            let verdict = [row.verdict?.word, flag].compactMap(\.self).joined(separator: "; ")
            let isBad = row.verdict == .regressed || row.ruleFlag != nil
            return (
                "",
                [
                    .text(row.stage?.text ?? "whole run"), .text(row.metric.title),
                    .reading(row.from, row.metric), .reading(row.to, row.metric),
                    .text(ReportNumbers.change(row), value: row.changePercent),
                    HTMLWriter.Cell(markup: drawing.markup(row), value: row.change?.percent),
                    .text(ReportNumbers.budget(row)),
                    .text(
                        verdict,
                        attributes: isBad
                            ? "class=\"verdict-regressed\""
                            : row.verdict == .improved ? "class=\"verdict-improved\"" : ""),
                ]
            )
        }
        writer.table(
            caption:
                "Medians of each side, the change with its bounds (dot and line), the budget (short mark) and no "
                + "change (dashes)",
            columns: [
                .init(title: "stage"), .init(title: "metric"), .init(title: "from", isNumber: true),
                .init(title: "to", isNumber: true), .init(title: "change", isNumber: true),
                .init(title: "bounds"),
                .init(title: "budget", isNumber: true), .init(title: "verdict"),
            ], rows: rows)
    }

    private static func functions(_ report: ComparisonReport, _ writer: inout HTMLWriter) {
        guard !report.stacks.attributions.isEmpty || !report.stacks.refusals.isEmpty else { return }
        writer.element("h2", "", "Why")
        for attribution in report.stacks.attributions {
            let text = AttributionText(attribution)
            writer.element("h3", "", text.title)
            functionTable(attribution, text, report, &writer)
            writer.element("ul") { list in
                for note in text.notes { list.element("li", "", note) }
            }
            if let picture = report.flameGraph(of: attribution, asDocument: false) {
                writer.raw(String(decoding: picture, as: UTF8.self))
            }
        }
        if let reason = report.stacks.source.unavailableReason {
            writer.element("p", "class=\"soft\"", "Changed source files are not shown: \(reason).")
        }
        writer.sentences("What could not be explained", report.stacks.refusals)
    }

    private static func functionTable(
        _ attribution: Attribution, _ text: AttributionText, _ report: ComparisonReport,
        _ writer: inout HTMLWriter
    ) {
        let functions = text.shownFunctions(fewest: 15, most: 60)
        var rows = functions.map { function -> (attributes: String, cells: [HTMLWriter.Cell]) in
            let file = report.stacks.suspectFile(of: function).map { "changed in \($0)" }
            let remark = [text.remark(function), file ?? ""].filter { !$0.isEmpty }.joined(separator: "; ")
            return (
                "",
                [
                    .text(function.function, attributes: "class=\"name\""),
                    .text(function.module ?? (function.isInterpreted ? function.file : nil) ?? ""),
                    .text(text.number(function.before.charged), value: function.before.charged),
                    .text(text.number(function.after.charged), value: function.after.charged),
                    .text(text.signed(function.chargedChange), value: function.chargedChange),
                    .text(text.signed(function.totalChange), value: function.totalChange),
                    .text(text.share(function) ?? "", value: function.chargedChange), .text(remark),
                ]
            )
        }
        let rest = text.rest(of: functions)
        let last = [
            ("\(rest.others) other functions", rest.change), ("medians do not add up", rest.residual),
        ]
        for (name, change) in last.dropFirst(rest.others > 0 ? 0 : 1) {
            rows.append(
                (
                    "",
                    [.text(name), .text(""), .text(""), .text(""), .text(text.signed(change), value: change)]
                        + (0..<3).map { _ in .text("") }
                ))
        }
        let unit = text.unit
        writer.table(
            caption:
                "Functions; together they make up the stage's change of \(text.signed(attribution.change)) \(unit)",
            columns: [
                .init(title: text.column), .init(title: "module or file"),
                .init(title: "from, \(unit)", isNumber: true),
                .init(title: "to, \(unit)", isNumber: true),
                .init(title: "change, \(unit)", isNumber: true),
                .init(title: "total change, \(unit)", isNumber: true), .init(title: "of it", isNumber: true),
                .init(title: "remark"),
            ], rows: rows)
    }
}
