internal import FrozenProfile
internal import Measurement
internal import ProfileComparison

extension BlameReport {
    /// The first sentence.
    public var headline: String {
        guard let line = largestLine else {
            let words = "between \(from.name) and \(to.name)"
            switch verdict {
            case .unchanged: return "Unchanged: nothing changed \(words)."
            case .inconclusive: return "Inconclusive: a change \(words) can be neither shown nor excluded."
            case .regressed, .improved:
                return "\(verdict.rawValue.capitalizedFirst): \(words), in no stage by itself."
            }
        }
        let place = line.stage.map { PlainText.sanitized($0.text) } ?? "the run"
        let amount =
            line.percent(line.change).map { CountedComparison.percent(abs($0)) + " %" }
            ?? Self.amount(line.change, basis)
        let what: String
        switch basis {
        case .counts: what = "executes \(amount) \(line.change < 0 ? "fewer" : "more") instructions"
        case .time(let metric, _):
            what = "takes \(amount) \(line.change < 0 ? "less" : "more") \(metric.words)"
        }
        return "\(verdict.rawValue.capitalizedFirst): \(place) \(what), \(blame(in: line))."
    }

    /// Which commits did it: `all of it by 0123456789ab "Load twice"`.
    private func blame(in line: Line) -> String {
        let shares = zip(culprits, line.shares).filter { $0.1 * line.change > 0 }
            .sorted { abs($0.1) > abs($1.1) }
        guard let first = shares.first else { return "by no single commit" }
        let share = 100 * first.1 / line.change
        let amount = share >= 99 && share < 101 ? "all of it" : "\(share.fixed(0)) % of it"
        var text = "\(amount) by \(Self.title(first.0))"
        if shares.count > 1 {
            text += " and \((100 * shares[1].1 / line.change).fixed(0)) % by \(Self.title(shares[1].0))"
        }
        if shares.count > 2 { text += " and \(shares.count - 2) more" }
        return text
    }

    private static func title(_ culprit: Culprit) -> String {
        guard let last = culprit.commits.last else { return "" }
        guard culprit.commits.count > 1 else { return "\(last.shortName) '\(last.subject)'" }
        return "one of \(culprit.commits.count) commits up to \(last.shortName) '\(last.subject)'"
    }

    /// The line that changed most; stages before the whole run. Nil where none did.
    private var largestLine: Line? {
        let changed = lines.filter { line in
            line.verdict == verdict && (verdict == .regressed || verdict == .improved)
        }
        let stages = changed.filter { $0.stage != nil }
        return (stages.isEmpty ? changed : stages).max { abs($0.change) < abs($1.change) }
    }

    /// The lines that are shown in full: those that changed, or to which a commit did something.
    var shownLines: [Line] {
        lines.filter { line in
            line.verdict == .regressed || line.verdict == .improved || line.verdict == .inconclusive
                || line.shares.contains { abs(line.percent($0) ?? 100) >= 0.5 }
        }
    }

    /// The invoice for a terminal of a width, with a line break at its end.
    public func text(width: Int = 80) -> String {
        var lines = TextLines.wrapped(headline, width: width)
        lines += [""] + TextLines.wrapped(summary, width: width)
        for line in shownLines { lines += [""] + invoice(line, width: width) }
        let rest = self.lines.filter { line in !shownLines.contains { $0.stage == line.stage } }
        if !rest.isEmpty {
            let names = rest.map { line in
                "\(Self.name(line)) \(Self.signedPercent(line, line.change))"
            }
            lines += [""] + TextLines.wrapped("Unchanged: \(names.joined(separator: ", ")).", width: width)
        }
        for culprit in culprits { lines += [""] + account(culprit, width: width) }
        if !skipped.isEmpty || !notes.isEmpty { lines.append("") }
        for one in skipped {
            lines += TextLines.marked(
                "!",
                "\(one.commit.shortName) '\(one.commit.subject)' \(PlainText.sanitized(one.reason, maximumCharacters: 300)).",
                width: width)
        }
        for note in notes + advice { lines += TextLines.marked("-", PlainText.sanitized(note), width: width) }
        return lines.joined(separator: "\n") + "\n"
    }

    private var summary: String {
        let many = commits == 1 ? "1 commit" : "\(commits) commits"
        let built = builds == 1 ? "1 build" : "\(builds) builds"
        let kept = reused == 0 ? "" : ", \(reused) measured before"
        let how =
            switch basis {
            case .counts(let engine, let identity, let runs):
                "instructions by \(engine) (\(identity)), \(runs) run\(runs == 1 ? "" : "s") of each"
            case .time(let metric, let pairs): "\(metric.words), \(pairs) pairs of runs in random order"
            }
        return
            "From \(from.name) (\(from.commit.shortName)) to \(to.name) (\(to.commit.shortName)): \(many), "
            + "\(built)\(kept); \(how)."
    }

    private func invoice(_ line: Line, width: Int) -> [String] {
        let frozen = line.frozenPercent.map { "; frozen \(Self.signed($0))" } ?? ""
        var lines = [
            TextLines.cut(
                "\(Self.name(line)): \(Self.number(line.from, basis)) to \(Self.value(line.to, basis)) "
                    + "(\(Self.signedPercent(line, line.change))\(frozen))", to: width)
        ]
        func entry(_ change: Double, _ words: String) -> String {
            TextLines.cut(
                "  " + Self.amount(change, basis).leftPadded(to: 18)
                    + Self.signedPercent(line, change).leftPadded(to: 11)
                    + "  " + words, to: width)
        }
        for (culprit, share) in zip(culprits, line.shares) {
            lines.append(entry(share, "\(culprit.name) \(culprit.commits.last?.subject ?? "")"))
        }
        let others = commits - culprits.reduce(0) { $0 + $1.commits.count }
        lines.append(entry(line.residual, "residual: \(others) other commit\(others == 1 ? "" : "s")"))
        return lines
    }

    private func account(_ culprit: Culprit, width: Int) -> [String] {
        guard let last = culprit.commits.last else { return [] }
        var lines = [TextLines.cut("\(last.shortName) \(last.subject)", to: width)]
        let merge = last.parents > 1 ? ", a merge" : ""
        lines.append(TextLines.cut("  \(last.author), \(last.date)\(merge)", to: width))
        if culprit.commits.count > 1 {
            let names = culprit.commits.map(\.shortName).joined(separator: ", ")
            lines += TextLines.wrapped(
                "One of \(names): those before the last cannot be measured.", width: width - 2
            ).map { "  \($0)" }
        }
        if let probability = culprit.probability {
            let confirmed =
                culprit.isConfirmed ? "" : "; the pairs around it do not show a change beyond the budget"
            lines += TextLines.wrapped(
                "Probability \(probability.fixed(3))\(confirmed).", width: width - 2
            ).map { "  \($0)" }
        }
        for stage in culprit.functions where stage.stage != nil || culprit.functions.count == 1 {
            for function in stage.functions {
                let share = stage.base > 0 ? Self.signed(100 * function.change / stage.base) : ""
                let module = function.module.map { " [\(PlainText.sanitized($0))]" } ?? ""
                lines.append(
                    TextLines.cut(
                        "  " + Self.amount(function.change, basis).leftPadded(to: 18)
                            + share.leftPadded(to: 11)
                            + "  \(stage.stage.map { "\($0): " } ?? "")"
                            + PlainText.sanitized(function.name, maximumCharacters: 200) + module, to: width))
            }
        }
        return lines
    }

    /// What to do next, as sentences.
    private var advice: [String] {
        culprits.filter { $0.commits.count == 1 && ($0.commits.last?.parents ?? 0) > 1 }.map { culprit in
            let name = culprit.name
            return
                "\(name) is a merge. Its branch: freeze-profile blame $(git merge-base \(name)^1 \(name)^2) \(name)^2 with the "
                + "same options."
        }
    }

    static func name(_ line: Line) -> String {
        line.stage.map { PlainText.sanitized($0.text, maximumCharacters: 60) } ?? "whole run"
    }

    private static func number(_ value: Double, _ basis: Basis) -> String {
        switch basis {
        case .counts: CountedComparison.grouped(value)
        case .time: value.fixed(4)
        }
    }

    private static func value(_ value: Double, _ basis: Basis) -> String {
        switch basis {
        case .counts: "\(number(value, basis)) instructions"
        case .time: "\(number(value, basis)) s"
        }
    }

    private static func amount(_ change: Double, _ basis: Basis) -> String {
        let sign = change < 0 ? "-" : "+"
        switch basis {
        case .counts: return sign + CountedComparison.grouped(abs(change))
        case .time: return "\(sign)\(abs(change).fixed(4)) s"
        }
    }

    private static func signed(_ percent: Double) -> String {
        "\(percent < 0 ? "-" : "+")\(CountedComparison.percent(abs(percent))) %"
    }

    private static func signedPercent(_ line: Line, _ change: Double) -> String {
        line.percent(change).map(signed) ?? "new"
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
