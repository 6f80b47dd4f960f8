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
            stage: stage, metric: metric, family: family, from: from.typical(of: metric, in: stage, design),
            to: to.typical(of: metric, in: stage, design))
        row.ruleFlag = ruleFlag(row)
        return row
    }

    /// The threshold that a row exceeds; of two the one that matters more.
    private func ruleFlag(_ row: ComparisonRow) -> RuleFlag? {
        guard let rules = settings.budgets.rules else { return nil }
        var found = [(rules.rule(of: row.metric, in: row.stage), row.deltaPercent)]
        if row.stage == nil, row.metric == .wall {
            let older = from.profile.totals.wallSecondsPerEpisode.value
            let newer = to.profile.totals.wallSecondsPerEpisode.value
            let delta = older.flatMap { older in newer.map { 100 * ($0 - older) / older } }
            found.append((rules.perEpisodeRule, delta.flatMap { $0.isFinite ? $0 : nil }))
        }
        let flags = found.compactMap { rule, delta -> RuleFlag? in
            guard let rule, let delta, delta > rule.maximumDeltaPercent else { return nil }
            return RuleFlag(
                key: rule.key, maximumDeltaPercent: rule.maximumDeltaPercent, deltaPercent: delta,
                severity: rule.severity)
        }
        return flags.first { $0.severity == .error } ?? flags.first
    }

    /// A row with its evidence; nil where only one side has the stage.
    private func candidate(_ metric: Metric, _ stage: StageName?, _ family: Family) -> Candidate? {
        var row = row(metric, stage, family)
        guard row.presence == .both else { return nil }
        let floor = settings.budgets.floors[metric] ?? standardFloor(metric)
        let budget = settings.budgets.budget(of: metric, in: stage, floor: floor, ledger: settings.ledger)
        let evidence = RowEvidence(
            from: from, to: to, metric: metric, stage: stage, floor: floor,
            known: design == .sessions ? settings.noise(of: metric, in: stage) : nil)
        let old = evidence.judged(row.from?.value ?? 0)
        for (side, reading) in [(from, row.from), (to, row.to)] {
            if let reason = reading?.unavailableReason {
                return Candidate(
                    row: row, budget: budget, judgedOld: old,
                    evidence: .none(reason: "\(side.name) has no value: \(reason).", remedy: nil))
            }
        }
        switch design {
        case .sessions: row.withinSession = withinSession(metric, stage)
        case .interleaved: row.pairedProbability = paired(row, budget)
        }
        evidence.describe(&row, design)
        return Candidate(row: row, budget: budget, judgedOld: old, evidence: evidence.evidence(design))
    }

    private func standardFloor(_ metric: Metric) -> Double {
        let interval = [from.samplingInterval, to.samplingInterval].compactMap(\.self).max()
        return metric.isMemory
            ? AbsoluteFloor.mebibytes(threads: nil) : AbsoluteFloor.seconds(samplingInterval: interval)
    }

    /// The signed-rank test of each pair's difference beyond the budget; nil where a run of a pair has no value.
    private func paired(_ row: ComparisonRow, _ budget: Budget) -> Double? {
        guard let old = row.from?.value,
            let differences = RunsInTurn(from, to, row.metric, row.stage, { $0 }).differences
        else { return nil }
        let margin = budget.margin(old: old)
        return SignedRank.probabilityOfIncrease(differences.map { $0 - margin })
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

    /// Stages that not every run of both sides entered.
    func presence() -> [StageName: StagePresence] {
        var found: [StageName: StagePresence] = [:]
        for stage in stages {
            let presence = StagePresence(
                from: from.runs(with: stage), fromRuns: from.runs, to: to.runs(with: stage), toRuns: to.runs)
            func isPartial(_ entered: Int, _ runs: Int) -> Bool { entered > 0 && entered < runs }
            if isPartial(presence.from, from.runs) || isPartial(presence.to, to.runs) {
                found[stage] = presence
            }
        }
        return found
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
        if design == .sessions { notes += settings.shelf?.sentences ?? [] }
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
