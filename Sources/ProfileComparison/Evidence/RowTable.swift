internal import FrozenProfile
internal import Measurement
internal import Statistics

/// The rows of a comparison, each with its evidence.
struct RowTable {
    let from: SideEvidence
    let to: SideEvidence
    let design: Comparison.Design
    let settings: ComparisonSettings

    /// Stages in the order of the new side, then those it no longer has.
    private var stages: [StageName] {
        let newer = Set(to.profile.stages.map(\.stage))
        return to.profile.stages.map(\.stage)
            + from.profile.stages.map(\.stage).filter { !newer.contains($0) }
    }

    func rows() -> [ComparisonRow] {
        let judgement = FamilyJudgement(errorRate: settings.errorRate)
        var rows = judgement.judge(Metric.judged.compactMap { candidate($0, nil, .total) })
        rows += Metric.shownOnly.map { row($0, nil, .derived) }
        let candidates = stages.flatMap { stage in Metric.judged.compactMap { candidate($0, stage, .stages) }
        }
        var judged: [NoiseLedger.Key: ComparisonRow] = [:]
        for row in judgement.judge(candidates) {
            judged[NoiseLedger.Key(stage: row.stage, metric: row.metric)] = row
        }
        for stage in stages {
            rows += Metric.judged.map { metric in
                judged[NoiseLedger.Key(stage: stage, metric: metric)] ?? row(metric, stage, .stages)
            }
            rows += Metric.shownOnly.map { row($0, stage, .derived) }
        }
        return rows
    }

    /// The row without a judgement, with what the rules file says.
    private func row(_ metric: Metric, _ stage: StageName?, _ family: Family) -> ComparisonRow {
        var row = ComparisonRow(
            stage: stage, metric: metric, family: family, from: from.median(of: metric, in: stage),
            to: to.median(of: metric, in: stage))
        if let delta = row.deltaPercent, let rule = settings.budgets.rules?.rule(of: metric, in: stage),
            delta > rule.maximumDeltaPercent
        {
            row.ruleFlag = RuleFlag(
                key: rule.key, maximumDeltaPercent: rule.maximumDeltaPercent, deltaPercent: delta)
        }
        return row
    }

    /// A row with its evidence; nil where only one side has the stage.
    private func candidate(_ metric: Metric, _ stage: StageName?, _ family: Family) -> Candidate? {
        var row = row(metric, stage, family)
        guard row.presence == .both else { return nil }
        let interval = [from.samplingInterval, to.samplingInterval].compactMap(\.self).max()
        let floor =
            metric.isMemory
            ? AbsoluteFloor.mebibytes(threads: nil) : AbsoluteFloor.seconds(samplingInterval: interval)
        let budget = settings.budgets.budget(of: metric, in: stage, floor: floor, ledger: settings.ledger)
        switch design {
        case .sessions: row.withinSession = withinSession(metric, stage)
        case .interleaved: row.pairedProbability = paired(row, budget)
        }
        return Candidate(row: row, budget: budget, evidence: evidence(row, floor: floor))
    }

    private func evidence(_ row: ComparisonRow, floor: Double) -> Candidate.Evidence {
        for (side, reading) in [(from, row.from), (to, row.to)] {
            if let reason = reading?.unavailableReason {
                return .none(reason: "\(side.name) has no value: \(reason).", remedy: nil)
            }
        }
        let older = from.values(of: row.metric, in: row.stage).filter { !$0.isEmpty }
        let newer = to.values(of: row.metric, in: row.stage).filter { !$0.isEmpty }
        for (side, values) in [(from, older), (to, newer)] where values.isEmpty {
            return .none(reason: side.reasonForNoSession, remedy: .moreSessions)
        }
        if (older + newer).joined().allSatisfy({ $0 <= floor }) { return .belowFloor }
        return switch design {
        case .sessions:
            sessionEvidence(older, newer, ledger: settings.ledger?[row.stage, row.metric], row.metric)
        case .interleaved: runEvidence(older.flatMap(\.self), newer.flatMap(\.self))
        }
    }

    private func runEvidence(_ older: [Double], _ newer: [Double]) -> Candidate.Evidence {
        guard let olderLogarithms = older.logarithms, let newerLogarithms = newer.logarithms else {
            return .none(reason: "A run has 0, which has no ratio.", remedy: nil)
        }
        guard let test = InterleavedTest(old: olderLogarithms, new: newerLogarithms) else {
            let fewest = InterleavedTest.fewestRuns
            return .none(
                reason: "Fewer than \(fewest) runs a side are no evidence.",
                remedy: Remedy(runsPerSide: 12, sentence: "It takes \(fewest) pairs at least, 12 for a gate.")
            )
        }
        return .test(.interleaved(test))
    }

    private func sessionEvidence(
        _ older: [[Double]], _ newer: [[Double]], ledger: NoiseLedger.Entry?, _ metric: Metric
    ) -> Candidate.Evidence {
        guard let olderLogarithms = sessionValues(older), let newerLogarithms = sessionValues(newer) else {
            return .none(reason: "A run has 0, which has no ratio.", remedy: nil)
        }
        do throws(SessionTest.Obstacle) {
            return .test(
                .sessions(
                    try SessionTest(
                        old: olderLogarithms, new: newerLogarithms, ledger: ledger?.sessions,
                        drift: metric.isMemory ? SessionTest.Drift() : drift(older, newer, ledger))))
        } catch {
            return .none(reason: error.sentence, remedy: .moreSessions)
        }
    }

    /// What a machine's speed has to do with: times, not memory.
    private func drift(
        _ older: [[Double]], _ newer: [[Double]], _ ledger: NoiseLedger.Entry?
    ) -> SessionTest.Drift {
        SessionTest.Drift(
            old: MachineDrift.variance(of: from.sessions, felt: older.compactMap(\.logarithms)),
            new: MachineDrift.variance(of: to.sessions, felt: newer.compactMap(\.logarithms)),
            ledger: ledger?.driftVariance ?? 0)
    }

    private func sessionValues(_ sessions: [[Double]]) -> [Double]? {
        var values: [Double] = []
        for session in sessions {
            guard let median = session.logarithms.flatMap(FrozenProfile.median) else { return nil }
            values.append(median)
        }
        return values
    }

    /// The signed-rank test of each pair's difference beyond the budget; nil where a run of a pair has no value.
    private func paired(_ row: ComparisonRow, _ budget: Budget) -> Double? {
        guard let older = from.values(of: row.metric, in: row.stage).first?.logarithms,
            let newer = to.values(of: row.metric, in: row.stage).first?.logarithms,
            older.count == newer.count,
            let old = row.from?.value
        else { return nil }
        let margin = budget.margin(old: old)
        return SignedRank.probabilityOfIncrease(zip(older, newer).map { $1 - $0 - margin })
    }

    private func withinSession(_ metric: Metric, _ stage: StageName?) -> LogChange? {
        guard let older = from.values(of: metric, in: stage).flatMap(\.self).logarithms,
            let newer = to.values(of: metric, in: stage).flatMap(\.self).logarithms,
            let shift = ShiftEstimate(from: older, to: newer)
        else { return nil }
        return LogChange(
            estimate: shift.hodgesLehmann, interval: shift.interval(tail: settings.errorRate / 2),
            upperBound: shift.interval(tail: settings.errorRate).upper)
    }

    func exactDifferences() -> [Comparison.ExactDifference] {
        stages.compactMap { stage in
            guard let older = from.spans(of: stage), let newer = to.spans(of: stage), older != newer else {
                return nil
            }
            return Comparison.ExactDifference(
                stage: stage, name: "times entered", from: "\(older)", to: "\(newer)")
        }
    }

    func notes(from: Comparison.Side, to: Comparison.Side) -> [String] {
        var notes: [String] = []
        if let ledger = settings.ledger { notes.append("Noise of earlier sessions from '\(ledger.file)'.") }
        if let older = from.commit?.prefix(12), let newer = to.commit?.prefix(12) {
            notes.append(older == newer ? "Both are of commit \(older)." : "Commits: \(older), now \(newer).")
        }
        let known = Set(stages)
        for stage in settings.budgets.rules?.stages(notAmong: known) ?? [] {
            notes.append("The rules file has thresholds of a stage '\(stage)', which neither side has.")
        }
        return notes
    }
}
