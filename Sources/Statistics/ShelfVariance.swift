/// How far sessions of neighbouring versions differ where the versions themselves do not.
///
/// Each version is a mean of so many sessions. The difference of two neighbours, divided by the square root of
/// 1/a + 1/b for a and b sessions, has the variance of a session, and whatever else differs from one occasion of
/// measuring to the next is in it. A version that changed the cost makes one difference large: that is a step and no noise.
/// Differences beyond ``farAway`` robust standard deviations of all are taken for steps, a third of all at most; where more
/// lie as far, the versions differ so by themselves, and the rest count as noise.
public struct ShelfVariance: Equatable, Sendable {
    /// A version: the values of its sessions on the scale of logarithms, and how fast the machine was.
    public struct Version: Equatable, Sendable {
        public var sessions: [Double]
        /// The logarithm of what fixed work took in these sessions; nil where it was not timed.
        public var machine: Double?

        /// A version.
        public init(sessions: [Double], machine: Double? = nil) {
            self.sessions = sessions
            self.machine = machine
        }

        fileprivate var mean: Double { sessions.reduce(0, +) / Double(sessions.count) }
    }

    /// The variance of a session's value, with as many degrees of freedom as it rests on.
    public let variance: VarianceEstimate
    /// The least variance of a session that is believed of other comparisons: what neighbours differ by, where that is more than
    /// sessions of one version do; else 0.
    public let leastVariance: Double
    /// How many differences of neighbours were taken for steps.
    public let steps: Int

    /// From how many robust standard deviations on a difference is a step.
    public static let farAway = 4.0
    /// Fewer differences do not show which of them is a step, unless sessions within versions show the noise.
    public static let fewestDifferences = 5
    /// The same, where sessions within versions have so many degrees of freedom.
    public static let fewestWithin = 4

    /// The noise in versions in order of time; nil where none has two sessions or a neighbour.
    ///
    /// - Parameters:
    ///   - versions: Each with a session at least.
    ///   - own: The indices of versions whose own sessions the comparison knows already: only their differences from others
    ///     count.
    public init?(_ versions: [Version], own: Set<Int> = []) {
        let within = VarianceEstimate.pooled(
            versions.indices.filter { !own.contains($0) }.compactMap {
                VarianceEstimate(of: versions[$0].sessions)
            })
        let all = VarianceEstimate.pooled(versions.compactMap { VarianceEstimate(of: $0.sessions) })
        let differences = zip(versions, versions.dropFirst()).map(Difference.init)
        let rejected = Self.steps(differences, within: all)
        let kept = differences.indices.filter { !rejected.contains($0) }.map { differences[$0].scaled }
        steps = rejected.count
        guard !kept.isEmpty else {
            guard let within else { return nil }
            variance = within
            leastVariance = 0
            return
        }
        let count = Double(kept.count)
        let between = VarianceEstimate(
            variance: kept.reduce(0) { $0 + $1 * $1 } / count,
            // Neighbouring differences share a version: von Neumann's ratio has this efficiency.
            degreesOfFreedom: max(1, Int(2 * count * count / (3 * count - 1))))
        // Occasions of measuring differ too, if neighbours differ by more than their sessions explain.
        let occasions = all.map { between.variance > Self.clearlyMore * $0.variance } ?? true
        leastVariance = occasions ? between.variance : 0
        guard
            let pooled = occasions ? between : VarianceEstimate.pooled([between, within].compactMap(\.self))
        else { return nil }
        variance = pooled
    }

    /// The upper quarter of a mean of squares of normal values begins near here, whatever their number up to ten.
    private static let clearlyMore = 1.35

    private struct Difference {
        var scaled: Double
        /// The same of the machine's speed; nil where it is not known.
        var machine: Double?

        init(_ older: Version, _ newer: Version) {
            let shares = 1 / Double(older.sessions.count) + 1 / Double(newer.sessions.count)
            scaled = (newer.mean - older.mean) / shares.squareRoot()
            machine = older.machine.flatMap { before in
                newer.machine.map { ($0 - before) / shares.squareRoot() }
            }
        }

        /// Whether the machine itself changed its speed by half as much or more, in the same direction.
        var isOfMachine: Bool { machine.map { $0 / scaled > 0.5 } ?? false }
    }

    private static func steps(_ differences: [Difference], within: VarianceEstimate?) -> Set<Int> {
        let isKnown = within?.degreesOfFreedom ?? 0 >= fewestWithin
        guard differences.count >= (isKnown ? 1 : fewestDifferences) else { return [] }
        // Of one or two differences each may be a step: only beside known noise.
        let most = max(isKnown ? 1 : 0, differences.count / 3)
        var rejected: Set<Int> = []
        while rejected.count < most {
            let kept = differences.indices.filter { !rejected.contains($0) }
            let sizes = kept.map { differences[$0].scaled.magnitude }.sorted()
            let robust = 1.4826 * (sizes[(sizes.count - 1) / 2] + sizes[sizes.count / 2]) / 2
            let noise = isKnown ? (within?.variance ?? 0).squareRoot() : 0
            // Two differences or fewer have no middle of their own.
            let scale = isKnown && differences.count < fewestDifferences ? noise : max(robust, noise)
            let candidates = kept.filter { !differences[$0].isOfMachine }
            guard
                let farthest = candidates.max(by: {
                    differences[$0].scaled.magnitude < differences[$1].scaled.magnitude
                }),
                differences[farthest].scaled.magnitude > farAway * max(scale, leastDeviation)
            else { break }
            rejected.insert(farthest)
        }
        return rejected
    }

    /// Noise below a quarter of a percent is not believed.
    private static let leastDeviation = 0.0025
}
