internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import Statistics

/// A row with what there is to judge it by.
struct Candidate {
    enum Evidence {
        case test(RowTest)
        /// There is no test to be made.
        case none(reason: String, remedy: Remedy?)
    }

    var row: ComparisonRow
    var budget: Budget
    /// The old value that the margin is a share of, in the metric's unit: above zero.
    var judgedOld: Double
    var evidence: Evidence
}

/// The verdicts of a family of rows.
///
/// A row has three criteria: the typical run, the mean and the slowest part. A regression is the rejection of "no criterion
/// moved beyond the budget", each criterion with its share of the error rate, and with Holm's correction over the rows. A row is
/// unchanged when "at or beyond the budget" is rejected of each criterion; improved when besides something got better by more
/// than the budget. That all rows are unchanged is claimed only if each is, which makes the chance of a false claim no larger.
struct FamilyJudgement {
    let errorRate: Double

    /// The candidates' rows with their verdicts, in the same order.
    func judge(_ candidates: [Candidate]) -> [ComparisonRow] {
        let indices = candidates.indices.filter { candidates[$0].test != nil }
        let worse = MultipleTesting.holm(indices.map { candidates[$0].worse })
        let better = MultipleTesting.holm(indices.map { candidates[$0].better })
        var rows = candidates.map(unjudged)
        for (place, index) in indices.enumerated() {
            guard let test = candidates[index].test else { continue }
            let finding = Finding(
                test: test, margin: candidates[index].margin, worse: worse[place], better: better[place],
                errorRate: errorRate, familySize: indices.count)
            finding.write(into: &rows[index])
            if candidates[index].isTooSmall { leaveUndecided(&rows[index]) }
        }
        return rows
    }

    /// Below the smallest difference that counts nothing is called unchanged. A run that is too short as a whole is undecided; of
    /// others it is not asked.
    private func leaveUndecided(_ row: inout ComparisonRow) {
        guard row.verdict != .regressed, let budget = row.budget else { return }
        row.isWithinFloor = row.verdict == .unchanged || row.verdict == .improved
        row.verdict = row.family == .total && row.metric == .wall ? .inconclusive : nil
        let floor = Budget(percent: 0, source: budget.source, floor: budget.floor).shown(
            old: 1, of: row.metric)
        row.reason =
            "Too \(row.metric.isMemory ? "small" : "short") to say: the smallest difference that counts is \(floor)."
        row.remedy = Remedy(
            sentence: "Give it more work, or lower what counts: --floor \(row.metric.optionName)="
                + (row.metric.isMemory ? "0.1MB." : "0.1ms."))
    }

    private func unjudged(_ candidate: Candidate) -> ComparisonRow {
        var row = candidate.row
        row.budget = candidate.budget
        row.verdict = .inconclusive
        if case .none(let reason, let remedy) = candidate.evidence {
            row.reason = reason
            row.remedy = remedy
        }
        return row
    }
}

extension Candidate {
    var test: RowTest? { if case .test(let test) = evidence { test } else { nil } }
    var margin: Double { budget.margin(old: judgedOld) }
    /// Whether the smallest difference that counts is more than half of the old value, so that only a regression can be determined.
    var isTooSmall: Bool { budget.floor > judgedOld / 2 && budget.isFloor(old: judgedOld) }
    fileprivate var worse: Double { test?.worse(margin: margin) ?? 1 }
    fileprivate var better: Double { test?.better(margin: margin) ?? 1 }
}

/// What the tests of one row say.
private struct Finding {
    let test: RowTest
    let margin: Double
    /// Probabilities with Holm's correction.
    let worse: Double
    let better: Double
    let errorRate: Double
    let familySize: Int

    /// The probability of error at each bound.
    private var tail: Double { errorRate / Double(2 * familySize) }

    func write(into row: inout ComparisonRow) {
        var change = LogChange(
            estimate: test.typical.shift.estimate, interval: test.typical.interval(tail: tail),
            upperBound: test.typical.interval(tail: errorRate).upper, confidence: confidence)
        row.regressionProbability = worse
        if case .sessions(let sessions) = test.typical, sessions.shareOfDrift > 0 {
            row.shareOfDrift = sessions.shareOfDrift
        }
        for criterion in [Criterion.mean, .slowest] {
            row.parts[criterion]?.regressionProbability = test[criterion].probability(atMost: margin)
            row.parts[criterion]?.withinProbability = test[criterion].probability(atLeast: margin)
        }
        let isWithin = test.within(margin: margin) <= errorRate
        if worse <= errorRate {
            row.verdict = .regressed
            // Holm's steps may reject where the bound of the whole family at once falls short of the margin.
            if test.typical.shift.probability(atMost: margin) <= errorRate {
                change.interval.lower = max(change.interval.lower, min(margin, change.estimate))
            }
        } else if isWithin && better <= errorRate {
            row.verdict = .improved
            if test.typical.shift.probability(atLeast: -margin) <= errorRate {
                change.interval.upper = min(change.interval.upper, max(-margin, change.estimate))
            }
        } else if isWithin && test.fewestRuns >= RowTest.fewestRunsForUnchanged {
            row.verdict = .unchanged
        } else {
            row.verdict = .inconclusive
            row.reason = reason(row, isWithin: isWithin)
            row.remedy = remedy(isWithin: isWithin)
        }
        row.change = change
    }

    /// Of all intervals of the family at once. With few sessions each bound errs as often as sessions fall apart by kind.
    ///
    /// A lone session's value has the tails that sessions have, and no mean of several makes them lighter: where these are heavy,
    /// intervals of 95 % miss in more than 5 % (docs/comparison-rates.md), and no more than 90 % is claimed.
    private var confidence: Double? {
        let most = test.sessions.map { $0.old == 1 && $0.new == 1 } == true ? Self.leastClaimed : 0.95
        guard test.leastChance > tail else { return most }
        let stated = 1 - 2 * Double(familySize) * test.leastChance
        return stated >= Self.leastClaimed ? min(stated, most) : nil
    }

    private static let leastClaimed = 0.9

    // MARK: What is undecided

    /// The most sessions or pairs that are advised.
    private static let mostAdvised = 50

    /// Whether so few sessions could not show a regression, however plain.
    private var isTooFew: Bool { test.leastChance * Double(familySize) > errorRate }

    private func reason(_ row: ComparisonRow, isWithin: Bool) -> String? {
        if let sessions = test.sessions, isTooFew || test.leastChance > errorRate {
            return
                "\(sessions.old) against \(sessions.new) sessions can fall apart by chance, if sessions come in two "
                + "kinds."
        }
        if isWithin {
            return
                "\(test.fewestRuns) runs a side cannot rule out that one run in four became slow; it takes "
                + "\(RowTest.fewestRunsForUnchanged)."
        }
        guard test.typical.shift.probability(atLeast: margin) <= errorRate else { return nil }
        let others = [Criterion.mean, .slowest].compactMap { criterion in
            row.parts[criterion].flatMap {
                $0.withinProbability <= errorRate ? nil : (criterion, $0.percent)
            }
        }
        let named = others.map { "\($0.0.words) (\(Comparison.signed($0.1)) %)" }
        return
            "The typical run is within the budget, but not for certain \(named.joined(separator: " and "))."
    }

    /// How many pairs would show that the mean or the slowest part got worse, if that goes on as in the runs made so far; nil where
    /// neither did.
    private var pairsForCost: Int? {
        [Criterion.mean, .slowest].compactMap { criterion in
            let found = test[criterion]
            let probability = found.probability(atMost: margin)
            // A fifth is no more than a hint, from which nothing can be foreseen.
            guard found.estimate > margin, probability < 0.2 else { return nil }
            let wanted = NormalDistribution.quantile(
                upperTail: errorRate * criterion.share / Double(familySize))
            let ratio = wanted / NormalDistribution.quantile(upperTail: probability)
            return max(test.fewestRuns + 1, Int((Double(test.fewestRuns) * ratio * ratio).rounded(.up)))
        }.min()
    }

    private func remedy(isWithin: Bool) -> Remedy {
        let target = margin / 2
        switch test.typical {
        case .sessions(let sessions):
            let byKind =
                SessionKinds.sessionsNeeded(
                    chance: errorRate / Double(familySize), atLeast: sessions.fewestSessions
                ) { test.known?.chance(old: $0, new: $0) ?? SessionKinds.chance(old: $0, new: $0) } ?? 100
            let bySpread = sessions.sessionsNeeded(halfWidth: target, tail: tail)
            guard let bySpread else {
                return Remedy(sentence: "The sessions differ too much for this budget; quieten the machine.")
            }
            let needed = max(byKind, bySpread)
            if needed <= sessions.fewestSessions { return .nearBudget }
            if needed > Self.mostAdvised {
                return Remedy(
                    sessionsPerSide: needed,
                    sentence:
                        "It would take about \(needed) sessions a side: not this way. Run both versions in turn, "
                        + "'freeze-profile ab --grow', where the machine's drift cancels.")
            }
            return Remedy(
                sessionsPerSide: needed, sentence: "About \(needed) sessions a side would settle it.")
        case .interleaved(let runs):
            let byCost = pairsForCost
            guard let needed = runs.runsNeeded(halfWidth: target, tail: tail) ?? byCost else {
                return Remedy(sentence: "The runs differ too much for this budget; quieten the machine.")
            }
            let typicalIsWithin = test.typical.shift.probability(atLeast: margin) <= errorRate
            if byCost == nil && runs.interval(tail: tail).halfWidth <= target && !typicalIsWithin {
                return .nearBudget
            }
            let pairs = min(
                typicalIsWithin ? max(needed, (5 * test.fewestRuns + 1) / 2) : needed, byCost ?? .max)
            if pairs > Self.mostAdvised {
                return Remedy(
                    runsPerSide: pairs,
                    sentence:
                        "It would take about \(pairs) pairs: not this way. Quieten the machine, give the command more "
                        + "work, or allow a larger budget.")
            }
            return Remedy(runsPerSide: pairs, sentence: "About \(pairs) pairs would settle it.")
        }
    }
}

extension Remedy {
    fileprivate static let nearBudget = Remedy(
        sentence: "The change is near the budget itself; more measuring narrows the interval only slowly.")
}

extension Criterion {
    /// The criterion inside a sentence.
    var words: String {
        switch self {
        case .typical: "the typical run"
        case .mean: "the mean"
        case .slowest: "the slowest part"
        }
    }
}
