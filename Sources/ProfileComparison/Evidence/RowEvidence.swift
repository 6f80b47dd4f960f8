internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import Statistics

/// The tests of one row, from the values of its runs.
struct RowEvidence {
    let from: SideEvidence
    let to: SideEvidence
    let metric: Metric
    let stage: StageName?
    /// The smallest difference that counts, in the metric's unit.
    let floor: Double
    let known: KnownNoise?

    /// Each side's values by session, those of sessions without any left out.
    private var values: (older: [[Double]], newer: [[Double]]) {
        (
            from.values(of: metric, in: stage).filter { !$0.isEmpty },
            to.values(of: metric, in: stage).filter { !$0.isEmpty }
        )
    }

    /// The least value that has a ratio: what a clock shows as zero is less than this.
    private var resolution: Double { floor / 5 }

    /// An old value as it is judged.
    func judged(_ old: Double) -> Double { old > 0 ? old : resolution }

    /// Values as they are judged: zero is what the clock or the counter cannot show.
    private func ratios(_ sessions: [[Double]]) -> [[Double]] {
        let hasZero = (values.older + values.newer).joined().contains { $0 <= 0 }
        return hasZero ? sessions.map { $0.map { max($0, resolution) } } : sessions
    }

    /// The evidence by a design.
    func evidence(_ design: Comparison.Design) -> Candidate.Evidence {
        let (older, newer) = values
        for (side, values) in [(from, older), (to, newer)] where values.isEmpty {
            return .none(reason: side.reasonForNoSession, remedy: .moreSessions)
        }
        return switch design {
        case .sessions: sessions(ratios(older), ratios(newer))
        case .interleaved: runs(RunsInTurn(from, to, metric, stage, ratios))
        }
    }

    /// What became of the mean and of the slowest part, and which kinds of runs there are.
    func describe(_ row: inout ComparisonRow, _ design: Comparison.Design) {
        var (older, newer) = (ratios(values.older), ratios(values.newer))
        guard !older.isEmpty, !newer.isEmpty else { return }
        if design == .interleaved {
            let inTurn = RunsInTurn(from, to, metric, stage, ratios)
            (older, newer) = ([inTurn.older], [inTurn.newer])
        }
        for criterion in [Criterion.mean, .slowest] {
            let (from, to) =
                switch design {
                case .sessions:
                    (Self.level(of: older, criterion), Self.level(of: newer, criterion))
                case .interleaved:
                    (
                        Self.level(ofRuns: older.flatMap(\.self), criterion),
                        Self.level(ofRuns: newer.flatMap(\.self), criterion)
                    )
                }
            row.parts[criterion] = PartChange(
                from: from, to: to, estimate: Logarithm.natural(to / from), regressionProbability: 1,
                withinProbability: 1)
        }
        row.scatter = [older, newer].compactMap(SessionSampling.scatter(of:)).max()
        row.fromKinds = RunKinds(older.flatMap(\.self))
        row.toKinds = RunKinds(newer.flatMap(\.self))
    }

    /// The geometric mean over sessions of what a criterion looks at.
    static func level(of sessions: [[Double]], _ criterion: Criterion) -> Double {
        let logarithms = sessions.map { Logarithm.natural(criterion.value(of: $0)) }
        return Mathematics.exponential(logarithms.reduce(0, +) / Double(logarithms.count))
    }

    private static func level(ofRuns runs: [Double], _ criterion: Criterion) -> Double {
        guard criterion == .slowest else { return criterion.value(of: runs) }
        return Quantile.of(runs, at: 1 - UpperTailTest.share(ofValues: runs.count))
    }

    // MARK: Runs in turn

    private func runs(_ inTurn: RunsInTurn) -> Candidate.Evidence {
        let (older, newer) = (inTurn.older, inTurn.newer)
        guard let old = older.logarithms, let new = newer.logarithms,
            let typical = inTurn.strata.flatMap({ InterleavedTest(strata: $0) }),
            let mean = MeanTest(old: older, new: newer), let slowest = UpperTailTest(old: old, new: new)
        else {
            let fewest = InterleavedTest.fewestRuns
            return .none(
                reason: "Fewer than \(fewest) runs a side are no evidence.",
                remedy: Remedy(runsPerSide: 12, sentence: "It takes \(fewest) pairs at least, 12 for a gate.")
            )
        }
        return .test(
            RowTest(
                typical: .interleaved(typical), mean: mean, slowest: slowest,
                fewestRuns: min(old.count, new.count)))
    }

    // MARK: Sessions

    private func sessions(_ older: [[Double]], _ newer: [[Double]]) -> Candidate.Evidence {
        do throws(SessionTest.Obstacle) {
            let typical = try test(.typical, older, newer)
            return .test(
                RowTest(
                    typical: .sessions(typical), mean: try test(.mean, older, newer),
                    slowest: try test(.slowest, older, newer),
                    leastChance: known?.chance(old: older.count, new: newer.count)
                        ?? SessionKinds.chance(old: older.count, new: newer.count),
                    fewestRuns: min(older.joined().count, newer.joined().count),
                    sessions: (older.count, newer.count), known: known))
        } catch {
            return .none(reason: error.sentence, remedy: .moreSessions)
        }
    }

    private func test(
        _ criterion: Criterion, _ older: [[Double]], _ newer: [[Double]]
    ) throws(SessionTest.Obstacle) -> SessionTest {
        var caution = SessionTest.Caution()
        caution.dependence = SessionTest.Caution.standardDependence
        caution.leastVariance = max(leastVariance(older + newer), known?.leastVariance ?? 0)
        caution.ofOldRuns = SessionSampling.variance(of: older, criterion)
        caution.ofNewRuns = SessionSampling.variance(of: newer, criterion)
        func logarithms(_ sessions: [[Double]]) -> [Double] {
            sessions.map { Logarithm.natural(criterion.value(of: $0)) }
        }
        return try SessionTest(
            old: logarithms(older), new: logarithms(newer), ledger: known?.variance,
            drift: metric.isMemory ? SessionTest.Drift() : drift(older, newer), caution: caution)
    }

    /// Sessions that are more alike than this are not believed to be: 0.25 % of time; of memory 0.1 %, and a sixteenth of what
    /// counts.
    private func leastVariance(_ sessions: [[Double]]) -> Double {
        guard metric.isMemory else { return 0.0025 * 0.0025 }
        let level = FrozenProfile.median(sessions.flatMap(\.self)) ?? 1
        let deviation = max(0.001, floor / 16 / level)
        return deviation * deviation
    }

    /// What a machine's speed has to do with: times, not memory.
    private func drift(_ older: [[Double]], _ newer: [[Double]]) -> SessionTest.Drift {
        SessionTest.Drift(
            old: MachineDrift.variance(of: from.sessions, felt: older.compactMap(\.logarithms)),
            new: MachineDrift.variance(of: to.sessions, felt: newer.compactMap(\.logarithms)),
            ledger: known?.driftVariance ?? 0)
    }
}

/// How far chance among a session's runs moves what is taken of the session.
enum SessionSampling {
    /// The standard deviation of runs about their session's median, on the scale of logarithms; nil where no session has two.
    static func scatter(of sessions: [[Double]]) -> Double? {
        let deviations = sessions.filter { $0.count > 1 }.flatMap { runs -> [Double] in
            let logarithms = runs.map(Logarithm.natural)
            let middle = FrozenProfile.median(logarithms) ?? 0
            return logarithms.map { ($0 - middle).magnitude }
        }
        return FrozenProfile.median(deviations).map { 1.4826 * $0 }
    }

    /// The variance that runs alone give a session's value, the mean over some sessions; 0 where no session has two runs.
    static func variance(of sessions: [[Double]], _ criterion: Criterion) -> Double {
        let several = sessions.filter { $0.count > 1 }
        guard !several.isEmpty else { return 0 }
        let shares = 1 / Double(several.count)
        guard criterion != .mean else {
            // Of the logarithm of a mean, to first order.
            return several.reduce(0) { sum, runs in
                let mean = runs.reduce(0, +) / Double(runs.count)
                let squares = runs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                return sum + squares / Double(runs.count - 1) / Double(runs.count) / (mean * mean) * shares
            }
        }
        let scatter = scatter(of: several) ?? 0
        // Of a normal sample: pi / 2 for the median, 1.857 for the upper quartile, by its size.
        let factor = criterion == .typical ? Double.pi / 2 : 1.857
        return several.reduce(0) { $0 + factor * scatter * scatter / Double($1.count) * shares }
    }
}

extension NoiseLedger.Entry {
    /// The sessions that it rests on: in as many groups as there were versions.
    var background: SessionKinds.Background {
        SessionKinds.Background(
            groups: max(1, sessionCount - sessions.degreesOfFreedom), sessions: sessionCount)
    }
}
