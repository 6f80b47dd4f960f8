public import Measurement

extension FrozenProfile {
    /// What is derived from runs.
    public struct Summary: Equatable, Sendable {
        public var stages: [StageSummary]
        public var totals: Totals
    }

    /// Summaries of sessions: of each metric the median over all measured runs that did not fail.
    ///
    /// A value that some runs lack is the median of those that have it, and each stage reports in how many it was
    /// entered. Values are rounded as they are frozen, so that a file's summaries can be checked against its runs.
    public static func derive(from sessions: [Session], episodesProcessed: Reading<Int>) -> Summary {
        let runs = sessions.flatMap(\.runs).filter(\.counts)
        var order: [StageName] = []
        var byStage: [StageName: [StageRun]] = [:]
        for stageRun in runs.flatMap(\.stages) {
            if byStage[stageRun.stage] == nil { order.append(stageRun.stage) }
            byStage[stageRun.stage, default: []].append(stageRun)
        }
        let total = median(of: runs.map(\.use), whenEmpty: "no measured run ended well")
        let stages = order.map { name in
            let stageRuns = byStage[name] ?? []
            let use = median(of: stageRuns.map(\.use), whenEmpty: "no measured run entered the stage")
            return StageSummary(
                stage: name, use: use, shareOfWall: share(of: use.wallSeconds, in: total.wallSeconds),
                runs: stageRuns.count, isShared: stageRuns.contains(where: \.isShared))
        }
        let totals = Totals(
            use: total, wallSecondsPerEpisode: perEpisode(total.wallSeconds, episodes: episodesProcessed),
            unattributedWallSeconds: unattributed(.wall, of: runs),
            unattributedCPUSeconds: unattributed(.cpu, of: runs),
            runs: runs.count)
        return Summary(stages: stages, totals: totals)
    }

    /// Sentences about summaries that the runs in the file do not bear out, empty when all agree or there are no runs.
    public var discrepancies: [String] {
        guard !sessions.isEmpty else { return [] }
        let derived = FrozenProfile.derive(from: sessions, episodesProcessed: episodesProcessed)
        var sentences: [String] = []
        if derived.stages.map(\.stage) != stages.map(\.stage) {
            sentences.append("The stages of the summary are not those of the runs.")
        }
        func check(_ name: String, _ written: ResourceUse, _ computed: ResourceUse) {
            for metric in Set(written.metrics).union(computed.metrics).sorted()
            where !agree(written[metric], computed[metric], decimals: metric.decimals) {
                sentences.append("\(name)'s \(metric.rawValue) is not the median of its runs.")
            }
        }
        for (written, computed) in zip(stages, derived.stages) where written.stage == computed.stage {
            check(written.stage.text, written.use, computed.use)
        }
        check("The total", totals.use, derived.totals.use)
        return sentences
    }

    /// The median of some numbers, the mean of the middle two for an even count; nil for none.
    public static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }

    private func agree(_ left: Reading<Double>, _ right: Reading<Double>, decimals: Int) -> Bool {
        guard let left = left.value, let right = right.value else {
            return left.value == nil && right.value == nil
        }
        // Raw values are frozen rounded, so their median may end one digit off.
        var unit = 1.0
        for _ in 0..<decimals { unit /= 10 }
        return (left - right).magnitude <= 2 * unit
    }

    private static func median(of uses: [ResourceUse], whenEmpty reason: String) -> ResourceUse {
        var result = ResourceUse.unavailable(reason)
        guard !uses.isEmpty else { return result }
        for metric in ResourceUse.metrics(ofAny: uses) {
            let readings = uses.compactMap { $0.asked(metric) }
            if let median = median(readings.compactMap(\.value)) {
                result[metric] = .value(median.rounded(decimals: metric.decimals))
            } else if let reason = readings.lazy.compactMap(\.unavailableReason).first {
                result[metric] = .unavailable(reason: reason)
            }
        }
        return result
    }

    private static func share(of part: Reading<Double>, in whole: Reading<Double>) -> Reading<Double> {
        guard let numerator = part.value else { return part }
        guard let denominator = whole.value else { return whole }
        guard denominator > 0 else { return .unavailable(reason: "the run took no time") }
        return .value((numerator / denominator).rounded(decimals: 4))
    }

    private static func perEpisode(_ wall: Reading<Double>, episodes: Reading<Int>) -> Reading<Double> {
        guard let seconds = wall.value else { return wall }
        guard let count = episodes.value else {
            return .unavailable(reason: episodes.unavailableReason ?? "the episodes were not counted")
        }
        guard count > 0 else { return .unavailable(reason: "no episode was processed") }
        return .value((seconds / Double(count)).rounded(decimals: 6))
    }

    /// What is left of each run when its stages are taken away: the median over the runs.
    ///
    /// Not the total's median less the stages' medians: those may be of different runs, and then their difference is of none,
    /// and may be negative where every run has a rest.
    private static func unattributed(_ metric: Metric, of runs: [Run]) -> Reading<Double> {
        let rests = runs.map { rest(metric, of: $0) }
        guard let median = median(rests.compactMap(\.value)) else {
            return .unavailable(
                reason: rests.lazy.compactMap(\.unavailableReason).first ?? "no measured run ended well")
        }
        return .value(median.rounded(decimals: metric.decimals))
    }

    /// What is left of a run when its stages are taken away.
    static func rest(_ metric: Metric, of run: Run) -> Reading<Double> {
        guard let whole = run.use[metric].value else { return run.use[metric] }
        let parts = run.stages.compactMap { $0.use[metric].value }
        guard parts.count == run.stages.count else {
            return .unavailable(reason: "not every stage has a \(metric.rawValue)")
        }
        let rest = whole - parts.reduce(0, +)
        if rest < 0 && run.stages.contains(where: \.isShared) {
            return .unavailable(reason: "stages ran at the same time, so together they exceed the run")
        }
        // Each value is rounded on its own, so that parts may exceed the whole by their last digits.
        let isRounding = rest < 0 && rest > -Double(parts.count + 1) * unit(decimals: metric.decimals)
        return .value(isRounding ? 0 : rest)
    }

    /// What earlier versions froze: the total's median less the stages' medians.
    static func differenceOfMedians(_ metric: Metric, total: ResourceUse, stages: [StageSummary]) -> Double? {
        guard let whole = total[metric].value else { return nil }
        let parts = stages.compactMap { $0.use[metric].value }
        return parts.count == stages.count ? whole - parts.reduce(0, +) : nil
    }

    private static func unit(decimals: Int) -> Double {
        var unit = 1.0
        for _ in 0..<decimals { unit /= 10 }
        return unit
    }
}

extension Double {
    /// The number rounded to so many decimals.
    func rounded(decimals: Int) -> Double {
        Double(fixed(decimals)) ?? self
    }
}
