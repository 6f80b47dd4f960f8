internal import FrozenProfile
internal import FunctionAttribution
internal import Measurement
internal import Statistics

/// The comparison as plain text for a terminal.
public struct ComparisonText {
    /// What a piece of text is, for the code that colours it.
    public enum Emphasis: Sendable {
        case title, bad, good, faint
    }

    private let comparison: Comparison
    private let width: Int
    private let showsAllRows: Bool
    private let paint: (String, Emphasis) -> String

    /// - Parameters:
    ///   - width: The columns of the terminal; at least 80 are used.
    ///   - showsAllRows: Whether stages in which nothing stands out have their rows too, and not only a line each.
    ///   - paint: Colours a piece of text without changing its width; words say the same.
    public init(
        _ comparison: Comparison, width: Int = 80, showsAllRows: Bool = false,
        paint: @escaping (String, Emphasis) -> String = { text, _ in text }
    ) {
        self.comparison = comparison
        self.width = max(width, 80)
        self.showsAllRows = showsAllRows
        self.paint = paint
    }

    /// The text: a sentence, the sides, the table, then what there is to know about it.
    public func render() -> String {
        var lines = TextLines.wrapped(comparison.headline, width: width)
        lines[0] = paint(lines[0], headlineEmphasis)
        lines += [""] + sides() + [""]
        switch comparison.counted {
        case .value(let counted): lines += counted.lines(width: width) + [""]
        case .unavailable(let reason):
            lines +=
                TextLines.wrapped(
                    "Counts are not compared: \(PlainText.sanitized(reason, maximumCharacters: 300)).",
                    width: width)
                + [""]
        case nil: break
        }
        if case .notComparable = comparison.timeOutcome {
            lines += refusals()
        } else {
            lines += table() + footnotes()
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var headlineEmphasis: Emphasis {
        switch comparison.outcome {
        case .verdict(.unchanged), .verdict(.improved): .good
        case .verdict(.inconclusive): .title
        case .verdict(.regressed), .notComparable: .bad
        }
    }

    /// Which side is which, so that the change is not read backwards.
    private func sides() -> [String] {
        [("from:", comparison.from), ("to:  ", comparison.to)].map { label, side in
            var facts = [PlainText.sanitized(side.date, maximumCharacters: 25)]
            facts.append(count(side.runs, "run") + " in " + count(side.sessions, "session"))
            if side.schema.major < 2 { facts.append("schema \(side.schema)") }
            let tail = "  " + facts.joined(separator: "  ")
            let name = PlainText.sanitized(side.release, maximumCharacters: 200)
            return "\(label) \(TextLines.cut(name, to: width - 6 - tail.count))\(tail)"
        }
    }

    private func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }

    private func refusals() -> [String] {
        var lines = ["What differs besides the version, with the key that allows it:"]
        for difference in comparison.comparability.refusals {
            lines += TextLines.marked("!", "\(difference.sentence) (--allow \(difference.key))", width: width)
        }
        return lines + paragraphs(comparison.comparability.warnings.map(\.sentence), mark: "-")
    }

    // MARK: The table

    private func table() -> [String] {
        let older = columnTitle(comparison.from.release, "from")
        let newer = columnTitle(comparison.to.release, "to")
        var lines = [
            cells("", older, newer, "change", comparison.boundsTitle, "budget", ""),
            String(repeating: "-", count: 80),
        ]
        let order = StageOrder(comparison)
        let quiet = showsAllRows ? [] : order.quiet
        for stage in [nil] + order.stages where !quiet.contains(where: { $0 == stage }) {
            let rows = comparison.rows(of: stage)
            guard let first = rows.first else { continue }
            lines.append(paint(heading(first), .title))
            lines += rows.map(line)
        }
        return lines + summaries(quiet)
    }

    /// Stages in which nothing stands out, a line each.
    private func summaries(_ stages: [StageName]) -> [String] {
        guard !stages.isEmpty else { return [] }
        func line(_ name: String, _ cells: [String], _ end: String) -> String {
            let text =
                TextLines.cut(name, to: 34).padded(to: 34) + cells.map { $0.leftPadded(to: 10) }.joined()
            return "  " + text + (end.isEmpty ? "" : "  " + end)
        }
        let metrics: [Metric] = [.wall, .cpu, .peakResident]
        let title = paint("stages in which nothing stands out (--all-rows shows their bounds)", .title)
        return [title, line("", ["wall", "CPU", "RSS"], "")]
            + stages.map { stage in
                let rows = comparison.rows(of: stage)
                let cells = metrics.map { metric in rows.first { $0.metric == metric }.map(change) ?? "-" }
                let verdict = Verdict.overall(rows.compactMap(\.verdict))
                return line(stage.text, cells, verdict.map { paint($0.word, emphasis($0)) } ?? "")
            }
    }

    private func heading(_ row: ComparisonRow) -> String {
        let name = TextLines.cut(row.stage?.text ?? "whole run", to: width - 12)
        switch row.presence {
        case .both: return name + presence(row)
        case .added: return name + " (added\(presence(row)))"
        case .removed: return name + " (removed\(presence(row)))"
        }
    }

    /// In how many runs a stage was, where it was not in all.
    private func presence(_ row: ComparisonRow) -> String {
        guard let stage = row.stage, let found = comparison.presence[stage] else { return "" }
        return ", " + found.words(row.presence)
    }

    private func columnTitle(_ release: String, _ otherwise: String) -> String {
        let title = PlainText.sanitized(release)
        return title.count <= 10 ? title : otherwise
    }

    private func line(_ row: ComparisonRow) -> String {
        let verdict = row.verdict.map { paint($0.word, emphasis($0)) } ?? ""
        let line = cells(
            row.metric.shortTitle, value(row.from, row.metric), value(row.to, row.metric), change(row),
            bounds(row), budget(row), verdict)
        return row.standsOut ? "! " + line.dropFirst(2) : line
    }

    private func emphasis(_ verdict: Verdict) -> Emphasis {
        switch verdict {
        case .regressed: .bad
        case .improved: .good
        case .unchanged, .inconclusive: .faint
        }
    }

    private func cells(
        _ metric: String, _ from: String, _ to: String, _ change: String, _ bounds: String, _ budget: String,
        _ verdict: String
    ) -> String {
        // 8, 10, 10, 9, 17 and 7 columns leave 11 for the verdict.
        let text =
            "  " + metric.padded(to: 7) + from.leftPadded(to: 11) + to.leftPadded(to: 11)
            + change.leftPadded(to: 10) + bounds.leftPadded(to: 17) + budget.leftPadded(to: 8)
            + "  " + verdict
        return String(text.reversed().drop { $0 == " " }.reversed())
    }

    private func value(_ reading: Reading<Double>?, _ metric: Metric) -> String {
        guard let reading else { return "-" }
        guard let value = reading.value else { return "n/a" }
        let decimals = metric == .wall || metric == .cpu ? (value < 100 ? 3 : 1) : 1
        let text = value.fixed(decimals)
        return text.count <= 10 ? text : ">999999999"
    }

    private func change(_ row: ComparisonRow) -> String {
        guard row.presence == .both else { return row.presence.rawValue }
        guard row.from?.value != 0 || row.to?.value == 0, let percent = row.changePercent else {
            return row.from?.value == 0 && row.to?.value != nil ? "was 0" : "n/a"
        }
        // The difference of two percentages is in points: a percentage of it says nothing.
        if row.metric == .averageCPU, let older = row.from?.value, let newer = row.to?.value {
            return Comparison.signed(newer - older) + " pt"
        }
        return Comparison.signed(percent) + " %"
    }

    /// The interval of the test; for unchanged the bound it rests on; else, after a tilde, what the runs alone say.
    private func bounds(_ row: ComparisonRow) -> String {
        if let change = row.change {
            if row.verdict == .unchanged { return "up to " + Comparison.signed(change.percentUpperBound) }
            return (change.confidence == nil ? "~" : "") + bracketed(change.percentInterval)
        }
        guard row.verdict != nil, let interval = row.withinSession?.percentInterval, interval.lower.isFinite
        else {
            return ""
        }
        return "~" + bracketed(interval)
    }

    private func bracketed(_ interval: Interval) -> String {
        "[\(Comparison.signed(interval.lower)), \(Comparison.signed(interval.upper))]"
    }

    private func budget(_ row: ComparisonRow) -> String {
        guard let budget = row.budget, let old = row.from?.value else { return "" }
        return budget.shown(old: old, of: row.metric) + (budget.isFloor(old: old) ? "*" : " ")
    }

    // MARK: Below the table

    private func footnotes() -> [String] {
        let notes = FootNotes(comparison)
        var lines: [String] = []
        lines += paragraphs(notes.remeasured, mark: "-", title: "Frozen then, side by side now:")
        lines += paragraphs(notes.partings, mark: "!", title: "Where the typical run is not the whole story:")
        lines += paragraphs(notes.doubts, mark: "?", title: "What is undecided, and what would settle it:")
        // Commands are copied, so they are not broken into lines.
        let steps = notes.nextSteps.map { "  " + PlainText.sanitized($0, maximumCharacters: 1000) }
        if !steps.isEmpty { lines += ["", "Ways to a verdict, the cheapest first:"] + steps }
        lines += paragraphs(notes.rules, mark: "!", title: "Beyond the rules file's thresholds (advice):")
        lines += paragraphs(notes.exact, mark: "!", title: "Counts that differ:")
        lines += paragraphs(
            comparison.comparability.allowed.map { "\($0.sentence) (allowed: \($0.key))" }, mark: "!",
            title: "Differences overridden with --allow:")
        lines += paragraphs(
            comparison.comparability.warnings.filter { !$0.isAllowed }.map(\.sentence), mark: "!",
            title: "What differs besides the version:")
        lines += paragraphs(notes.explanations, mark: "-", title: "About these numbers:")
        return lines
    }

    private func paragraphs(_ texts: [String], mark: String, title: String = "") -> [String] {
        guard !texts.isEmpty else { return [] }
        return (title.isEmpty ? [] : ["", title])
            + texts.flatMap {
                TextLines.marked(mark, PlainText.sanitized($0, maximumCharacters: 1000), width: width)
            }
    }
}
