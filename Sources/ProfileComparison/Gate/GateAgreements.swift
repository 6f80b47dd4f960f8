public import FrozenProfile
public import Measurement

/// What a project has agreed on: how much a stage may cost at most, and which regressions are accepted until when.
///
/// It is a file in the repository, `gate.yaml` beside the profiles, so that each agreement is reviewed as code is.
public struct GateAgreements: Equatable, Sendable {
    /// One row of a comparison: a metric of a stage, or of the whole run.
    public struct Target: Hashable, Sendable, CustomStringConvertible {
        /// Nil for the whole run.
        public var stage: StageName?
        public var metric: Metric

        /// A target.
        public init(stage: StageName?, metric: Metric) {
            self.stage = stage
            self.metric = metric
        }

        /// `STAGE.METRIC`, such as `transcription.wall` or `total.rss`.
        public var description: String { "\(stage?.text ?? "total").\(metric.optionName)" }
    }

    /// A cost that no version may exceed, in the metric's unit.
    public struct Ceiling: Equatable, Sendable {
        public var target: Target
        public var maximum: Double

        /// A ceiling.
        public init(target: Target, maximum: Double) {
            self.target = target
            self.maximum = maximum
        }
    }

    /// An accepted regression: of one stage and metric, up to a cost, until a day.
    public struct Acceptance: Equatable, Sendable {
        public var target: Target
        /// The version whose cost was given up, and that cost in the metric's unit.
        public var baseline: String
        public var baselineValue: Double
        /// The version that it was accepted for.
        public var version: String
        /// The most that the target may cost meanwhile, in the metric's unit.
        public var ceiling: Double
        /// The last day on which it holds, in UTC.
        public var until: CalendarDay
        public var reason: String
        public var owner: String
        public var link: String

        /// An acceptance.
        public init(
            target: Target, baseline: String, baselineValue: Double, version: String, ceiling: Double,
            until: CalendarDay, reason: String, owner: String, link: String
        ) {
            self.target = target
            self.baseline = baseline
            self.baselineValue = baselineValue
            self.version = version
            self.ceiling = ceiling
            self.until = until
            self.reason = reason
            self.owner = owner
            self.link = link
        }
    }

    /// The age in days beyond which a version is no baseline any more.
    public var maximumBaselineAge: Int
    public var ceilings: [Ceiling]
    public var acceptances: [Acceptance]

    /// The age in days that holds unless another is given.
    public static let standardBaselineAge = 180

    /// Agreements.
    public init(
        maximumBaselineAge: Int = standardBaselineAge, ceilings: [Ceiling] = [],
        acceptances: [Acceptance] = []
    ) {
        self.maximumBaselineAge = maximumBaselineAge
        self.ceilings = ceilings
        self.acceptances = acceptances
    }

    /// The acceptance of a target; there is at most one.
    public func acceptance(of target: Target) -> Acceptance? { acceptances.first { $0.target == target } }

    /// Whether any agreement is about a target.
    func mention(_ target: Target) -> Bool {
        acceptance(of: target) != nil || ceilings.contains { $0.target == target }
    }

    /// Adds an acceptance, in place of the one that its target has.
    public mutating func accept(_ acceptance: Acceptance) {
        acceptances.removeAll { $0.target == acceptance.target }
        acceptances.append(acceptance)
        acceptances.sort { $0.target.description < $1.target.description }
    }
}

extension MetricUnit {
    /// The name of the unit in `gate.yaml`.
    var gateName: String {
        switch self {
        case .seconds: "s"
        case .mebibytes: "MiB"
        case .bytes: "B"
        case .percent: "%"
        case .count: "1"
        }
    }
}
