public import FrozenProfile

/// How much worse a metric may get before it has regressed, and where the number comes from.
public struct Budget: Equatable, Sendable {
    /// Who set it.
    public enum Source: Equatable, Sendable {
        /// `--budget`.
        case commandLine
        /// A key of a rules file.
        case rules(file: String, key: String)
        /// The noise ledger of a machine and workload, with the last day it was measured on.
        case calibration(file: String, date: String)
        /// 3 % of time, 2 % of memory.
        case standard
    }

    /// The share by which the metric may grow, in percent of the old value.
    public var percent: Double
    public var source: Source
    /// What the metric may grow by in its own unit, however small the old value.
    public var floor: Double

    /// A budget.
    public init(percent: Double, source: Source, floor: Double = 0) {
        self.percent = percent
        self.source = source
        self.floor = floor
    }

    /// The share that applies to an old value, in percent: the budget's, or the floor's where that is more.
    public func effectivePercent(old: Double) -> Double {
        old > 0 ? max(percent, 100 * floor / old) : percent
    }

    /// Whether the floor decides for an old value.
    public func isFloor(old: Double) -> Bool { effectivePercent(old: old) > percent }

    /// The budget that applies to an old value of a metric, in few characters: `3 %`, or where the floor decides `5 ms`.
    public func shown(old: Double, of metric: Metric) -> String {
        guard isFloor(old: old) else { return Comparison.rounded(percent) + " %" }
        switch metric.unit {
        case .seconds: return Comparison.rounded(floor * 1000) + " ms"
        case .mebibytes: return Comparison.rounded(floor) + " MB"
        case .bytes, .percent, .count: return Comparison.rounded(floor)
        }
    }

    /// The margin of the tests for an old value: a difference of natural logarithms.
    func margin(old: Double) -> Double { Percent.logarithm(ofPercent: effectivePercent(old: old)) }
}

/// A threshold of a rules file that a difference exceeds, whatever the tests say: advice, not a verdict.
public struct RuleFlag: Equatable, Sendable {
    /// The key in the file, such as `stages.transcription.wall_time_s`.
    public var key: String
    /// The threshold, in percent.
    public var maximumDeltaPercent: Double
    /// What was found, in percent.
    public var deltaPercent: Double
    /// What the file says that exceeding it means.
    public var severity: RegressionRules.Severity
}
