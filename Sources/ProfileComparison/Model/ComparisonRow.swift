public import FrozenProfile
public import Measurement
internal import Statistics

/// Rows that are judged together, so that the chance of any false alarm among them is bounded.
public enum Family: String, Equatable, Sendable {
    /// Wall time, CPU time and peak memory of the whole run: what a gate looks at.
    case total
    /// The same of every stage.
    case stages
    /// Computed from other rows: shown, never judged.
    case derived

    /// Whether its rows decide the outcome of a comparison.
    func decides(_ gate: ComparisonSettings.Gate) -> Bool {
        switch self {
        case .total: true
        case .stages: gate == .stages
        case .derived: false
        }
    }
}

/// How the mean, or the slowest part, of a row's runs changed.
public struct PartChange: Equatable, Sendable {
    /// The old side's value and the new side's, in the metric's unit.
    public var from: Double
    public var to: Double
    /// The logarithm of the new value by the old one.
    public var estimate: Double
    /// The probability of data like these, or worse, if it changed by no more than the budget; of this row alone.
    public var regressionProbability: Double
    /// The probability of data like these, or better, if it changed by the budget or more; of this row alone.
    public var withinProbability: Double

    /// The change in percent of the old value.
    public var percent: Double { Percent.ofLogarithm(estimate) }
}

/// A metric of a stage, or of the whole run, on both sides, with what can be said about its change.
public struct ComparisonRow: Equatable, Sendable {
    /// On which side the stage is.
    public enum Presence: String, Equatable, Sendable {
        case both, added, removed
    }

    /// The stage, nil for the whole run.
    public var stage: StageName?
    public var metric: Metric
    public var family: Family
    /// The old side's typical run, in the metric's unit; nil where it has no such stage. Of sessions the geometric mean of their
    /// medians, which is what is judged; of runs made in turn their median.
    public var from: Reading<Double>?
    /// The new side's typical run.
    public var to: Reading<Double>?
    /// Nil for a row that is not judged.
    public var budget: Budget?
    /// What the test says; nil where there is no test to be made.
    public var change: LogChange?
    /// How the mean and the slowest part of the runs changed; none where there is no test to be made.
    public var parts: [Criterion: PartChange] = [:]
    /// How far runs of a session scatter: the standard deviation of their logarithms, by the median absolute deviation; nil
    /// where no session has two runs.
    public var scatter: Double?
    /// The old side's runs, where they are of two kinds.
    public var fromKinds: RunKinds?
    /// The new side's runs, where they are of two kinds.
    public var toKinds: RunKinds?
    /// What the runs alone say, as if sessions did not differ: a diagnostic, never a verdict.
    public var withinSession: LogChange?
    /// The probability, adjusted for the family, of data like these if the change were within the budget.
    public var regressionProbability: Double?
    /// Of runs made in turn: what Wilcoxon's signed-rank test of the pairs says of "no more than the budget". A diagnostic,
    /// which says much the same as the test unless the machine drifted fast.
    public var pairedProbability: Double?
    /// The share of the bounds' width that is for drift of the machine beyond what the noise is known from; nil for none.
    public var shareOfDrift: Double?
    /// Nil for a row that is not judged.
    public var verdict: Verdict?
    /// Whether the row is too small to have a verdict, and certainly changed by less than the smallest difference that counts.
    public var isWithinFloor = false
    /// Why the verdict is what it is, where the numbers do not show it; a sentence.
    public var reason: String?
    /// What would settle an inconclusive verdict.
    public var remedy: Remedy?
    /// The threshold of a rules file that the medians exceed.
    public var ruleFlag: RuleFlag?

    /// A row without a judgement.
    public init(
        stage: StageName?, metric: Metric, family: Family, from: Reading<Double>?, to: Reading<Double>?
    ) {
        self.stage = stage
        self.metric = metric
        self.family = family
        self.from = from
        self.to = to
    }

    /// On which side the stage is.
    public var presence: Presence { from == nil ? .added : to == nil ? .removed : .both }

    /// How far the medians are apart, in percent of the old one; nil where either is missing, or the old one is zero and the
    /// new one is not.
    public var deltaPercent: Double? {
        guard let from = from?.value, let to = to?.value else { return nil }
        if from == to { return 0 }
        return from == 0 ? nil : 100 * (to - from) / from
    }

    /// How many times the scatter of its runs the change is; nil where neither is known.
    public var standing: Double? {
        guard let scatter, scatter > 0, let change = changePercent, change > -100 else { return nil }
        return Percent.logarithm(ofPercent: change).magnitude / scatter
    }

    /// Whether the row is undecided although its value grew by more than its budget and by three times the scatter of its runs or
    /// more: what a person would notice, and what no test confirms.
    public var standsOut: Bool {
        guard verdict == .inconclusive, family == .total || family == .stages, let change = changePercent,
            let budget, let old = from?.value
        else { return false }
        return change > budget.effectivePercent(old: old) && standing ?? 0 >= 3
    }

    /// The best estimate of the change in percent: the test's, or else that of the medians.
    public var changePercent: Double? { change?.percent ?? deltaPercent }
}
