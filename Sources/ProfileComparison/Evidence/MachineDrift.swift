internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import Statistics

/// How far the machine's speed wandered within sessions, by fixed work that was timed at their start, middle and end.
///
/// The variance between the moments is what the drift may add to a session's value: for a speed that wanders at random it is
/// on average just the variance of the session's mean speed about that of its start; for one that drifts steadily by D it is
/// (D / 2) squared, the square of how far the mean lies from either end.
enum MachineDrift {
    /// The variance between the moments' logarithms, of the canary that wandered most; nil where none was timed twice.
    static func variance(of session: Session) -> VarianceEstimate? {
        session.canaries.compactMap { VarianceEstimate(of: moments(of: $0)) }.max {
            $0.variance < $1.variance
        }
    }

    /// The variance in some sessions, pooled; nil where no canary was timed twice.
    static func variance(of sessions: [Session]) -> VarianceEstimate? {
        VarianceEstimate.pooled(sessions.compactMap(variance(of:)))
    }

    /// What of some sessions' drift a metric may have felt, by the logarithms of its runs in each session.
    ///
    /// Canaries may feel what the pipeline does not: disks, caches, waiting for a CPU where CPU time is judged. Runs that felt
    /// a drift scatter by it: one that goes steadily by D gives them a variance of D squared / 12, a third of the (D / 2)
    /// squared that it may add to the mean. Three times the runs' own variance is therefore the most. Too few runs do not
    /// show.
    static func variance(of sessions: [Session], felt runs: [[Double]]) -> VarianceEstimate? {
        guard let drift = variance(of: sessions) else { return nil }
        guard let scatter = VarianceEstimate.pooled(runs.compactMap { VarianceEstimate(of: $0) }),
            scatter.degreesOfFreedom >= fewestForScatter
        else { return drift }
        return VarianceEstimate(
            variance: min(drift.variance, 3 * scatter.variance), degreesOfFreedom: drift.degreesOfFreedom)
    }

    private static let fewestForScatter = 4

    /// The logarithm of the median repetition at each moment at which there is one.
    static func moments(of canary: Canary) -> [Double] {
        Canary.Moment.allCases.compactMap { moment in
            canary.seconds(at: moment).value.flatMap { $0 > 0 ? Logarithm.natural($0) : nil }
        }
    }
}

/// Whether fixed work took another time in one version's sessions than in the other's, beyond what it differs by anyway.
///
/// As for the pipeline itself, repetitions of one moment are no independent measurements of the machine. Moments of a session
/// are, as far as its drift goes, and sessions are.
struct MachineSpeed {
    /// The new sessions' logarithm less the old ones'.
    let change: Double
    /// The changes that the timings do not refute, 95 % of the times.
    let interval: Interval

    /// The comparison of a canary; nil where a side did not time it, or where nothing shows how much it varies.
    init?(canary name: String, from older: [Session], to newer: [Session]) {
        let sides = [older, newer].map { sessions in
            sessions.flatMap(\.canaries).filter { $0.name == name }.map(MachineDrift.moments).filter {
                !$0.isEmpty
            }
        }
        let levels = sides.map { $0.compactMap(FrozenProfile.median) }
        let within = VarianceEstimate.pooled(sides.joined().compactMap { VarianceEstimate(of: $0) })
        let between = VarianceEstimate.pooled(levels.compactMap { VarianceEstimate(of: $0) })
        guard let known = [within, between].compactMap(\.self).max(by: { $0.variance < $1.variance }),
            !levels[0].isEmpty, !levels[1].isEmpty,
            let student = StudentT(degreesOfFreedom: Double(known.degreesOfFreedom))
        else { return nil }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        change = mean(levels[1]) - mean(levels[0])
        let error = (known.variance * levels.reduce(0) { $0 + 1 / Double($1.count) }).squareRoot()
        let reach = student.quantile(upperTail: 0.025) * error
        interval = Interval(lower: change - reach, upper: change + reach)
    }
}
