public import FrozenProfile
public import Measurement

/// Two frozen profiles side by side: every stage and metric, and what speaks against comparing them.
///
/// It judges nothing: it says how far values are apart, not whether that is more than noise.
public struct ProfileComparison: Equatable, Sendable {
    /// A metric of a stage, or of the whole run, on both sides.
    public struct Row: Equatable, Sendable {
        /// On which side the stage is.
        public enum Presence: Equatable, Sendable {
            case both, added, removed
        }

        /// The stage, nil for the whole run.
        public var stage: StageName?
        public var metric: Metric
        /// The older side; nil where it has no such stage.
        public var from: Reading<Double>?
        /// The newer side; nil where it has no such stage.
        public var to: Reading<Double>?

        /// On which side the stage is.
        public var presence: Presence { from == nil ? .added : to == nil ? .removed : .both }

        /// The newer value's distance from the older, in percent of the older; nil where either is missing or
        /// the older is zero and the newer is not.
        public var changePercent: Double? {
            guard let from = from?.value, let to = to?.value else { return nil }
            if from == to { return 0 }
            return from == 0 ? nil : 100 * (to - from) / from
        }
    }

    /// The sides' names.
    public let fromRelease: String
    public let toRelease: String
    /// Each stage's metrics, stages in the order of the newer side, then those it no longer has; the whole run last.
    public let rows: [Row]
    /// Sentences about what differs besides the version, so that differences may not come from it.
    public let warnings: [String]
    /// Sentences that are true of the comparison and no warning: what it rests on, and from which source to which.
    public let notes: [String]

    /// The comparison of an older profile with a newer one.
    public init(from: FrozenProfile, to: FrozenProfile) {
        fromRelease = from.release
        toRelease = to.release
        rows = ProfileComparison.table(from: from, to: to)
        warnings = Comparability.warnings(from: from, to: to)
        notes = Comparability.notes(from: from, to: to)
    }

    /// Each stage's metrics, stages in the order of the newer side, then those it no longer has; the whole run last.
    public static func table(from: FrozenProfile, to: FrozenProfile) -> [Row] {
        let older = Dictionary(from.stages.map { ($0.stage, $0.use) }) { first, _ in first }
        let newer = Dictionary(to.stages.map { ($0.stage, $0.use) }) { first, _ in first }
        let names = to.stages.map(\.stage) + from.stages.map(\.stage).filter { newer[$0] == nil }
        var rows = names.flatMap { name in
            Metric.primary.map { metric in
                Row(stage: name, metric: metric, from: older[name]?[metric], to: newer[name]?[metric])
            }
        }
        rows += Metric.primary.map { metric in
            Row(stage: nil, metric: metric, from: from.totals.use[metric], to: to.totals.use[metric])
        }
        return rows
    }
}
