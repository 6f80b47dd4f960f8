internal import FrozenProfile
internal import FunctionAttribution
internal import Measurement
internal import Statistics

extension Comparison {
    /// The comparison in one sentence or two, such as `Regressed: transcription got 12 % slower (8 to 16 %),
    /// ngram_search accounts for 71 % of it.`; safe to show.
    public var headline: String {
        if let countedHeadline { return countedHeadline }
        return switch timeOutcome {
        case .notComparable: notComparable
        case .verdict(.regressed): "Regressed: \(changes(.regressed))."
        case .verdict(.improved): "Improved: \(changes(.improved))." + alsoRegressed
        case .verdict(.inconclusive): "Inconclusive: \(doubt)" + alsoRegressed
        case .verdict(.unchanged): "Unchanged: \(bounds)." + alsoRegressed
        }
    }

    private var notComparable: String {
        let others = comparability.refusals.count - 1
        let first = comparability.refusals.first?.sentence ?? ""
        let rest =
            others == 0
            ? ""
            : " \(others == 1 ? "1 other difference forbids" : "\(others) other differences forbid") it too."
        return "Not comparable. \(first)\(rest)"
    }

    /// What changed in that way: the whole run first, then the stage that changed most.
    private func changes(_ verdict: Verdict) -> String {
        var clauses: [String] = []
        if let row = mostTelling(rows(of: nil), verdict) { clauses.append(clause(row)) }
        if stages(with: verdict).isEmpty, let place = whereMostChanged(verdict) { clauses.append(place) }
        if let stage = stages(with: verdict).first, let row = mostTelling(rows(of: stage), verdict) {
            let others = stages(with: verdict).count - 1
            let why = explanations[stage]?.clause.map {
                ", " + PlainText.sanitized($0, maximumCharacters: 200)
            }
            clauses.append(clause(row) + (why ?? ""))
            if others > 0 { clauses.append("\(others) more stage\(others == 1 ? "" : "s") likewise") }
        }
        return clauses.joined(separator: "; ")
    }

    /// In which stage a change of the whole run is, where no stage's own change is certain.
    private func whereMostChanged(_ verdict: Verdict) -> String? {
        guard let row = mostTelling(rows(of: nil), verdict), let largest = largestPart(of: row),
            let stage = largest.stage
        else { return nil }
        if largest.presence == .added { return "the stage \(stage) is new" }
        if largest.presence == .removed { return "the stage \(stage) is gone" }
        let why = explanations[stage]?.clause.map {
            ", where " + PlainText.sanitized($0, maximumCharacters: 200)
        }
        return "most of it is in \(stage)\(why ?? "")"
    }

    /// The row of the stage that makes up at least half of a change of the whole run's time; nil where none does.
    func largestPart(of row: ComparisonRow) -> ComparisonRow? {
        guard row.metric == .wall || row.metric == .cpu, let from = row.from?.value, let to = row.to?.value
        else { return nil }
        func change(_ part: ComparisonRow) -> Double { (part.to?.value ?? 0) - (part.from?.value ?? 0) }
        let sign: Double = to < from ? -1 : 1
        let parts = rows.filter { $0.stage != nil && $0.metric == row.metric }
        guard let largest = parts.max(by: { sign * change($0) < sign * change($1) }),
            sign * change(largest) > 0, sign * change(largest) >= (to - from).magnitude / 2
        else { return nil }
        return largest
    }

    /// What a stage did while the whole is something else than regressed; empty when none did.
    private var alsoRegressed: String {
        guard let stage = stages(with: .regressed).first, let row = mostTelling(rows(of: stage), .regressed)
        else { return "" }
        let why = explanations[stage]?.clause.map { ", " + PlainText.sanitized($0, maximumCharacters: 200) }
        return " But \(clause(row))\(why ?? "")."
    }

    /// Wall time says most to a person, then CPU time, then memory.
    private func mostTelling(_ rows: [ComparisonRow], _ verdict: Verdict) -> ComparisonRow? {
        rows.first { $0.verdict == verdict }
    }

    /// A change as a clause: `transcription got 12 % slower (8 to 16 %)`.
    private func clause(_ row: ComparisonRow) -> String {
        if row.verdict == .regressed, row.from?.value == 0, let to = row.to?.value {
            return
                "\(row.stage?.text ?? "the run") has \(row.metric.shown(to)) of \(row.metric.words), and had none"
        }
        if row.verdict == .regressed, let parting = row.parting {
            return "\(row.stage?.text ?? "the run"): \(parting)"
        }
        let change = row.change?.percent ?? row.deltaPercent ?? 0
        let subject = row.stage?.text ?? "the run"
        let amount = "\(Self.rounded(change.magnitude)) %"
        let words =
            switch row.metric {
            case .wall: "got \(amount) \(change < 0 ? "faster" : "slower")"
            case .cpu: "takes \(amount) \(change < 0 ? "less" : "more") CPU time"
            default: "needs \(amount) \(change < 0 ? "less" : "more") memory"
            }
        guard let interval = row.change?.percentInterval else { return "\(subject) \(words)" }
        let bounds = change < 0 ? [-interval.upper, -interval.lower] : [interval.lower, interval.upper]
        guard bounds.allSatisfy(\.isFinite) else { return "\(subject) \(words)" }
        return "\(subject) \(words) (\(Self.rounded(bounds[0])) to \(Self.rounded(bounds[1])) %)"
    }

    private var bounds: String {
        let rows = rows(of: nil).filter { $0.verdict == .unchanged }
        let parts = rows.compactMap { row in
            row.change.map { "\(row.metric.words) at most \(Self.signed($0.percentUpperBound)) %" }
        }
        return parts.isEmpty
            ? "nothing got worse by more than its budget"
            : "nothing got worse by more than its budget (" + parts.joined(separator: ", ") + ")"
    }

    private var doubt: String {
        if let seen { return seen }
        let judged = rows.filter { settings.gate == .stages || $0.stage == nil }
        guard let row = judged.first(where: { $0.verdict == .inconclusive }) else {
            return "nothing was judged."
        }
        let remedy = row.remedy.map { " " + $0.sentence } ?? ""
        guard let interval = row.change?.percentInterval, let budget = row.budget else {
            let reason = row.reason ?? "There is no evidence."
            return reason.prefix(1).lowercased() + reason.dropFirst() + remedy
        }
        let subject = row.stage.map { "\($0.text)'s" } ?? "the run's"
        if let parting = row.parting {
            return "\(subject) \(row.metric.words): \(parting).\(remedy)"
        }
        let percent = budget.effectivePercent(old: row.from?.value ?? 0)
        return "\(subject) \(row.metric.words) changed by \(Self.signed(row.change?.percent ?? 0)) % "
            + "(\(Self.signed(interval.lower)) to \(Self.signed(interval.upper)) %), "
            + "and the budget is \(Self.rounded(percent)) %.\(remedy)"
    }

    /// What a person would see in undecided numbers, and why it is no verdict; nil where nothing stands out.
    private var seen: String? {
        guard let row = standingOut, let standing = row.standing, row.parting == nil else { return nil }
        let why =
            row.reason.map { $0.prefix(1).lowercased() + $0.dropFirst() }
            ?? "that is near what sessions or runs differ by anyway."
        let times =
            standing < 9.5 ? Self.rounded(standing) : standing < 1000 ? standing.fixed(0) : "over 1000"
        let functions = row.stage.flatMap { explanations[$0]?.clause }.map {
            "; " + PlainText.sanitized($0, maximumCharacters: 200)
        }
        return
            "\(withoutBounds(row)), \(times) times what its runs scatter\(others(than: row))\(functions ?? ""). But \(why)"
            + (row.remedy.map { " " + $0.sentence } ?? "")
    }

    private func withoutBounds(_ row: ComparisonRow) -> String {
        var plain = row
        plain.change = nil
        return clause(plain)
    }

    /// The other metrics of the same stage that stand out: ` (CPU time +25 %, peak memory +9.6 %)`.
    private func others(than row: ComparisonRow) -> String {
        let others = rows(of: row.stage).filter { $0.standsOut && $0.metric != row.metric }.map { other in
            "\(other.metric.words) \(Self.signed(other.changePercent ?? 0)) %"
        }
        return others.isEmpty ? "" : " (\(others.joined(separator: ", ")))"
    }

    /// A percentage with the digits that matter: tenths below ten.
    static func rounded(_ percent: Double) -> String {
        guard percent.isFinite else { return percent < 0 ? "-∞" : "∞" }
        guard percent.magnitude < 10_000 else { return percent < 0 ? "<-9999" : ">9999" }
        let text = percent.fixed(percent.magnitude < 9.95 ? 1 : 0)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// A percentage with its sign.
    static func signed(_ percent: Double) -> String {
        let text = rounded(percent)
        return percent > 0 && text != "0" && !text.hasPrefix(">") ? "+" + text : text
    }
}

extension ComparisonRow {
    /// Where the typical run and the others part, as a clause: `the typical run is the same (+0.3 %), but the mean changed by
    /// +75 %: 3 of 12 runs now take 4 times as long`; nil where they go together, or get better.
    public var parting: String? {
        guard let change, let old = from?.value, let budget else { return nil }
        let limit = budget.effectivePercent(old: old)
        let worst = parts.filter { $0.value.percent > max(limit, change.percent + limit) }
        guard change.percent <= limit, let most = worst.max(by: { $0.value.estimate < $1.value.estimate })
        else { return nil }
        let part = worst[.mean].map { ("the mean", $0) } ?? (most.key.words, most.value)
        let same = change.percent < -limit ? "faster" : "about the same"
        var text =
            "the typical run is \(same) (\(Comparison.signed(change.percent)) %), but \(part.0) changed by "
            + "\(Comparison.signed(part.1.percent)) %"
        if let kinds = toKinds {
            text += ": \(kinds.words)"
            text += fromKinds.map { "; before, \($0.slow) of \($0.runs) did" } ?? "; before, none did"
        }
        return text
    }
}

extension Metric {
    /// A value with its unit: `0.9 s`, `12 MB`.
    func shown(_ value: Double) -> String {
        switch unit {
        case .seconds: "\(value.fixed(value < 0.1 ? 4 : 3)) s"
        case .mebibytes: "\(value.fixed(1)) MB"
        case .percent: "\(value.fixed(1)) %"
        case .bytes: "\(value.fixed(0)) bytes"
        case .count: value.fixed(0)
        }
    }
}

extension Verdict {
    /// The verdict in a table: words, because colour alone says nothing to many.
    public var word: String {
        switch self {
        case .regressed: "REGRESSED"
        case .inconclusive: "inconclusive"
        case .improved: "improved"
        case .unchanged: "unchanged"
        }
    }
}
