internal import Measurement
internal import Statistics

/// A row with what there is to judge it by.
struct Candidate {
    enum Evidence {
        case test(ShiftTest)
        /// Whatever happened, it is less than the budget's floor.
        case belowFloor
        /// There is no test to be made.
        case none(reason: String, remedy: Remedy?)
    }

    var row: ComparisonRow
    var budget: Budget
    var evidence: Evidence
}

/// The verdicts of a family of rows.
///
/// A regression is the rejection of "within the budget", an improvement that of "not better than the budget", each with
/// Holm's correction over the whole family. An ok is the rejection of "at or beyond the budget", row by row: that all rows
/// are ok is claimed only if each is, which makes the chance of a false claim no larger.
struct FamilyJudgement {
    let errorRate: Double

    /// The candidates' rows with their verdicts, in the same order.
    func judge(_ candidates: [Candidate]) -> [ComparisonRow] {
        let isHypothesis = candidates.map { candidate in
            if case .none = candidate.evidence { false } else { true }
        }
        let indices = candidates.indices.filter { isHypothesis[$0] }
        let worse = MultipleTesting.holm(indices.map { regression(candidates[$0]) })
        let better = MultipleTesting.holm(indices.map { improvement(candidates[$0]) })
        var rows = candidates.map(unjudged)
        for (place, index) in indices.enumerated() {
            judge(
                &rows[index], candidates[index], worse: worse[place], better: better[place],
                familySize: indices.count)
        }
        return rows
    }

    private func margin(_ candidate: Candidate) -> Double {
        candidate.budget.margin(old: candidate.row.from?.value ?? 0)
    }

    private func regression(_ candidate: Candidate) -> Double {
        guard case .test(let test) = candidate.evidence else { return 1 }
        return test.probability(atMost: margin(candidate))
    }

    private func improvement(_ candidate: Candidate) -> Double {
        guard case .test(let test) = candidate.evidence else { return 1 }
        return test.probability(atLeast: -margin(candidate))
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

    private func judge(
        _ row: inout ComparisonRow, _ candidate: Candidate, worse: Double, better: Double, familySize: Int
    ) {
        guard case .test(let test) = candidate.evidence else {
            row.verdict = .ok
            row.reason = "Both sides are below the smallest difference that counts."
            return
        }
        let margin = margin(candidate)
        let tail = errorRate / Double(familySize)
        var change = LogChange(
            estimate: test.estimate, interval: test.interval(tail: tail),
            upperBound: test.interval(tail: errorRate).upper)
        row.regressionProbability = worse
        if case .sessions(let test) = test, test.shareOfDrift > 0 { row.shareOfDrift = test.shareOfDrift }
        if worse <= errorRate {
            row.verdict = .regressed
            // Holm's steps may reject where the bound of the whole family at once falls short of the margin.
            change.interval.lower = max(change.interval.lower, margin)
        } else if better <= errorRate {
            row.verdict = .improved
            change.interval.upper = min(change.interval.upper, -margin)
        } else if test.probability(atLeast: margin) <= errorRate {
            row.verdict = .ok
        } else {
            row.verdict = .inconclusive
            row.remedy = remedy(test, margin: margin, tail: tail)
        }
        row.change = change
    }

    private func remedy(_ test: ShiftTest, margin: Double, tail: Double) -> Remedy {
        let target = margin / 2
        let text = "The change is near the budget itself; more measuring narrows the interval only slowly."
        switch test {
        case .sessions(let test):
            guard let needed = test.sessionsNeeded(halfWidth: target, tail: tail) else {
                return Remedy(sentence: "The sessions differ too much for this budget; quieten the machine.")
            }
            if needed <= test.fewestSessions { return Remedy(sentence: text) }
            return Remedy(
                sessionsPerSide: needed, sentence: "About \(needed) sessions a side would settle it.")
        case .interleaved(let test):
            guard let needed = test.runsNeeded(halfWidth: target, tail: tail) else {
                return Remedy(sentence: "The runs differ too much for this budget; quieten the machine.")
            }
            if test.interval(tail: tail).halfWidth <= target { return Remedy(sentence: text) }
            return Remedy(runsPerSide: needed, sentence: "About \(needed) pairs would settle it.")
        }
    }
}
