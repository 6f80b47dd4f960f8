internal import FrozenProfile
internal import FunctionAttribution
internal import LinuxSystem
internal import Measurement
internal import Statistics

/// The sentences below a comparison's table, for any renderer.
public struct FootNotes {
    private let comparison: Comparison

    /// The sentences of a comparison.
    public init(_ comparison: Comparison) {
        self.comparison = comparison
    }

    /// Why rows are undecided and what would settle them, rows of one reason together.
    public var doubts: [String] {
        var order: [String] = []
        var names: [String: [String]] = [:]
        for row in comparison.rows where row.verdict == .inconclusive {
            let text = [row.reason, row.remedy?.sentence].compactMap(\.self).joined(separator: " ")
            if names[text] == nil { order.append(text) }
            names[text, default: []].append(name(row))
        }
        return order.map { text in
            let rows = names[text] ?? []
            let shown = rows.prefix(3).joined(separator: ", ")
            let rest = rows.count > 3 ? " and \(rows.count - 3) more" : ""
            return "\(shown)\(rest): \(text)"
        }
    }

    /// Rows whose mean or slowest runs changed while the typical run did not, and what runs of two kinds the sides have.
    public var partings: [String] {
        comparison.rows.compactMap { row in
            guard row.family != .derived, row.presence == .both else { return nil }
            if let parting = row.parting { return "\(name(row)): \(parting)." }
            guard row.metric == .wall else { return nil }
            let sides = [("from", row.fromKinds), ("to", row.toKinds)].compactMap { side, kinds in
                kinds.map { "\(side): \($0.words)" }
            }
            return sides.isEmpty
                ? nil : "\(name(row)): runs are of two kinds, \(sides.joined(separator: "; "))."
        }
    }

    /// Commands that would settle what is undecided, the cheapest first, each with the time it takes.
    public var nextSteps: [String] { NextSteps(comparison).commands }

    /// Thresholds of the rules file that are exceeded.
    public var rules: [String] {
        comparison.rows.compactMap { row in
            row.ruleFlag.map { flag in
                "\(name(row)): \(Comparison.signed(flag.deltaPercent)) % is more than the "
                    + "\(Comparison.rounded(flag.maximumDeltaPercent)) % of \(flag.key) (\(flag.severity.rawValue))."
            }
        }
    }

    /// Counts that should not differ.
    public var exact: [String] {
        comparison.exactDifferences.map { difference in
            "\(difference.stage?.text ?? "whole run"), \(difference.name): \(difference.from), now \(difference.to)."
        }
    }

    /// What was frozen beside what both versions measure now.
    public var remeasured: [String] { comparison.remeasurement?.lines.map(\.sentence) ?? [] }

    /// How the numbers are meant, and where budgets come from.
    public var explanations: [String] {
        var sentences: [String] = []
        if let plan = comparison.plan { sentences.append(pairs(of: plan)) }
        if comparison.rows.contains(where: { $0.change == nil && $0.withinSession != nil }) {
            sentences.append(
                "~ is what the runs alone say, as if sessions did not differ: no verdict rests on it.")
        }
        if comparison.rows.contains(where: { $0.change != nil && $0.change?.confidence == nil }) {
            sentences.append(
                "~ before bounds: as if sessions came in one kind; so few may fall apart by chance, and no verdict rests on "
                    + "them.")
        }
        if let most = comparison.unseenShare {
            sentences.append(
                "Unchanged is said of the typical run, the mean and the slowest part. A slow kind of run that is rarer than "
                    + "one in \((1 / most).rounded(.down).fixed(0)) may have gone unseen.")
        }
        let judged = comparison.rows.filter { $0.family == .stages && $0.change != nil }.count
        if judged > 0 {
            sentences.append(
                "\(judged) rows of stages were tested; the chance of any false regression is at most 5 %.")
        }
        return sentences + drift + budgets + comparison.notes
    }

    private func pairs(of plan: InterleavedPlan) -> String {
        let made = comparison.pairsMade ?? plan.pairs
        let order = "each in random order (seed \(plan.seed)), after one that does not count."
        guard plan.looks.count > 1 else {
            return "\(made == 1 ? "1 pair" : "\(made) pairs") of runs, \(order)"
        }
        let looks = plan.looks.map { "\($0.pairs)" }
        return
            "\(made) of up to \(plan.pairs) pairs of runs, \(order) Looked at after "
            + "\(looks.dropLast().joined(separator: ", ")) and \(looks.last ?? ""), each time with a part of the error rate: 5 % in all."
    }

    /// How much of the bounds is the machine's wandering.
    private var drift: [String] {
        guard let most = comparison.rows.compactMap(\.shareOfDrift).max(), most >= 0.05 else { return [] }
        return [
            "The machine's speed wandered more in these sessions than in those that the noise was learnt from; up to "
                + "\((100 * most).fixed(0)) % of the bounds' width is for that."
        ]
    }

    /// Budgets by source, each with its metrics, or with its rows where they are few.
    private var budgets: [String] {
        var order: [String] = []
        var rows: [String: [ComparisonRow]] = [:]
        var hasFloor = false
        for row in comparison.rows {
            guard let budget = row.budget else { continue }
            if let old = row.from?.value, budget.isFloor(old: old) { hasFloor = true }
            let text = "\(Comparison.rounded(budget.percent)) % \(budget.source.words)"
            if rows[text] == nil { order.append(text) }
            rows[text, default: []].append(row)
        }
        let sentences = order.map { text in
            let rows = rows[text] ?? []
            var names: [String] = []
            for row in rows {
                let isSpecial = rows.count <= 2 && row.stage != nil
                let name = isSpecial ? "\(row.stage?.text ?? "")'s \(row.metric.words)" : row.metric.words
                if !names.contains(name) { names.append(name) }
            }
            return "Budget for \(names.joined(separator: " and ")): \(text)."
        }
        return sentences
            + (hasFloor
                ? ["* is the smallest difference that counts, where the share of the old value is less."]
                : [])
    }

    private func name(_ row: ComparisonRow) -> String {
        "\(row.stage?.text ?? "whole run") \(row.metric.shortTitle)"
    }
}

extension Comparison {
    /// The title of the column of bounds, with the chance that all of a family hold: `95 % bounds`.
    public var boundsTitle: String {
        let least = rows.compactMap { $0.change?.confidence }.min() ?? 0.95
        return "\((100 * least + 1e-6).rounded(.down).fixed(0)) % bounds"
    }

    /// The share of runs that could be of a slow kind without any of the new side's runs being one, at 5 %; nil where nothing is
    /// called unchanged.
    public var unseenShare: Double? {
        guard rows.contains(where: { $0.verdict == .unchanged }), to.runs > 0 else { return nil }
        return 1 - Mathematics.exponential(Logarithm.natural(0.05) / Double(to.runs))
    }
}

extension StagePresence {
    /// In how many runs of the sides that have the stage: `in 3 of 15 runs`.
    public func words(_ presence: ComparisonRow.Presence) -> String {
        let (older, newer) = ("\(from) of \(fromRuns)", "\(to) of \(toRuns)")
        return switch presence {
        case .added: "in \(newer) runs"
        case .removed: "in \(older) runs"
        case .both: "in \(older) runs, now in \(newer)"
        }
    }
}

extension Budget.Source {
    /// Where a budget comes from, as a phrase.
    public var words: String {
        switch self {
        case .commandLine: "given on the command line"
        case .rules(let file, let key): "by \(key) of '\(file)'"
        case .calibration(let file, let date): "by the noise ledger '\(file)', measured until \(date)"
        case .standard: "by default"
        }
    }
}
