public import FrozenProfile
public import Measurement

/// Who may set a metric's budget, the first that does: the command line, a rules file, the noise ledger, the standard.
public struct BudgetPolicy: Equatable, Sendable {
    /// What a budget of the command line is for.
    public struct Target: Hashable, Sendable {
        /// A stage, nil for the whole run and every stage that has no budget of its own.
        public var stage: StageName?
        public var metric: Metric

        /// A target.
        public init(stage: StageName?, metric: Metric) {
            self.stage = stage
            self.metric = metric
        }
    }

    /// Percentages given on the command line.
    public var commandLine: [Target: Double]
    public var rules: RegressionRules?
    /// The smallest differences that count, where the user sets them, in each metric's unit: seconds, mebibytes.
    public var floors: [Metric: Double] = [:]

    /// A policy.
    public init(commandLine: [Target: Double] = [:], rules: RegressionRules? = nil) {
        self.commandLine = commandLine
        self.rules = rules
    }

    /// The share by which a metric may grow unless given, in percent: 2 of memory, 3 of time.
    public static func standardPercent(of metric: Metric) -> Double { metric.isMemory ? 2 : 3 }

    /// The budget of a metric.
    ///
    /// - Parameters:
    ///   - stage: The stage, nil for the whole run.
    ///   - floor: What the metric may grow by in its own unit.
    ///   - ledger: The noise that was measured on such a machine.
    func budget(
        of metric: Metric, in stage: StageName?, floor: Double, ledger: NoiseLedger?
    ) -> Budget {
        let own = Target(stage: stage, metric: metric)
        if let percent = commandLine[own] ?? commandLine[Target(stage: nil, metric: metric)] {
            return Budget(percent: percent, source: .commandLine, floor: floor)
        }
        if let rules, let rule = rules.budgetRule(of: metric, in: stage) {
            let source = Budget.Source.rules(file: rules.file, key: rule.key)
            return Budget(percent: rule.maximumDeltaPercent, source: source, floor: floor)
        }
        if let ledger, let entry = ledger[stage, metric], let percent = entry.proposedBudgetPercent {
            let source = Budget.Source.calibration(file: ledger.file, date: entry.lastDate)
            return Budget(percent: percent, source: source, floor: floor)
        }
        return Budget(percent: Self.standardPercent(of: metric), source: .standard, floor: floor)
    }
}

/// How small a difference is no regression, whatever its share of the old value.
public enum AbsoluteFloor {
    /// Seconds: 5 ms, or 10 of the sampler's intervals where that is more.
    ///
    /// - Parameter samplingInterval: The time between samples in seconds, nil where none were taken.
    public static func seconds(samplingInterval: Double?) -> Double {
        max(0.005, 10 * (samplingInterval ?? 0))
    }

    /// Mebibytes: 1, or 4 pages of 4 KiB for each thread where that is more.
    ///
    /// - Parameter threads: How many threads the pipeline had, nil if not counted.
    public static func mebibytes(threads: Int?) -> Double {
        max(1, 4 * 4096 * Double(threads ?? 0) / 1_048_576)
    }
}

extension Metric {
    /// What a comparison shows without judging it, because it follows from what it judges.
    static let shownOnly: [Metric] = [.averageCPU]

    /// The name in options such as `--budget`.
    public var optionName: String {
        switch self {
        case .wall: "wall"
        case .cpu: "cpu"
        case .peakResident: "rss"
        default: rawValue
        }
    }
}
