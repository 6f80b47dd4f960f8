public import FrozenProfile
public import Measurement

/// What a gate decides by, read by the caller.
public struct GateEvidence: Sendable {
    /// A version on the shelf.
    public struct Entry: Sendable {
        public var version: String
        public var date: String
        /// The typical run's costs, in each metric's unit.
        public var costs: [GateAgreements.Target: Double]

        /// The entry of a profile, or of its summary.
        public init(_ profile: FrozenProfile) {
            version = profile.release
            date = profile.date
            costs = [:]
            if let counts = profile.counts?.value {
                for stage in [nil] + counts.stages.map({ Optional($0.name) }) {
                    costs[.init(stage: stage, metric: .instructions)] = counts.part(of: stage)?.median
                }
            }
            for metric in Metric.judged {
                costs[.init(stage: nil, metric: metric)] = profile.totals.use[metric].value
                for stage in profile.stages {
                    costs[.init(stage: stage.stage, metric: metric)] = stage.use[metric].value
                }
            }
        }
    }

    /// The two versions, with every stage judged.
    public var comparison: Comparison
    /// The old version against the one before it; nil where there is none that it can be compared with.
    public var ancestry: Comparison?
    /// The versions that are frozen.
    public var shelf: [Entry]
    /// What is wrong with the files, in sentences.
    public var damage: [String]
    /// Stages that the user named as removed on purpose.
    public var removed: Set<StageName>
    /// The day of the decision, in UTC.
    public var today: CalendarDay

    /// Evidence.
    public init(
        comparison: Comparison, ancestry: Comparison? = nil, shelf: [Entry] = [], damage: [String] = [],
        removed: Set<StageName> = [], today: CalendarDay
    ) {
        self.comparison = comparison
        self.ancestry = ancestry
        self.shelf = shelf
        self.damage = damage
        self.removed = removed
        self.today = today
    }
}
