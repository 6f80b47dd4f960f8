internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import Statistics

/// How much the sessions of a comparison differ by the node that they were made on, and which node is unlike the others.
///
/// Sessions of different nodes of one class are sessions like any others: what nodes differ by is part of what another
/// measurement would be off by. But that one node is slow is worth to be known, and a rule that is fixed beforehand may leave it
/// out on both sides.
struct NodeSpread {
    /// A node that is unlike the others.
    struct OddNode: Equatable {
        var node: String
        /// By how much its sessions' wall time is off, as a difference of logarithms.
        var difference: Double
        /// The stages that are off in the same direction by at least half as much, and how many stages there are.
        var stages: [StageName]
        var stageCount: Int
        /// Its sessions on both sides, and the nodes that it was held against.
        var sessions: Int
        var others: Int
    }

    /// The nodes, and the sessions made on them.
    let nodes: Int
    let sessions: Int
    /// The share of the variance between sessions that lies between nodes; nil where too few sessions share a node.
    let betweenShare: Double?
    let oddNodes: [OddNode]

    /// A node is odd when it is off by more than this, and by more than chance: 5 %.
    private static let leastDifference = Logarithm.natural(1.05)
    /// The chance that one of several equal nodes is called odd.
    private static let errorRate = 0.05
    /// How unlike equal nodes are at least believed to be: 0.5 %.
    private static let leastDeviation = 0.005

    /// The spread over both sides of a comparison: what a version changes is taken away first.
    init(_ sides: [SideEvidence]) {
        let byNode = NodeSpread.residuals(sides, stage: nil)
        nodes = byNode.count
        sessions = byNode.values.reduce(0) { $0 + $1.count }
        betweenShare = NodeSpread.betweenShare(Array(byNode.values))
        var stages: [StageName] = []
        for stage in sides.flatMap(\.profile.stages).map(\.stage) where !stages.contains(stage) {
            stages.append(stage)
        }
        oddNodes = byNode.keys.sorted().compactMap { node in
            NodeSpread.oddNode(node, among: byNode).map { difference in
                let alike = stages.filter { stage in
                    let inStage = NodeSpread.residuals(sides, stage: stage)
                    guard let own = NodeSpread.deviation(of: node, among: inStage) else { return false }
                    return own * difference > 0 && own.magnitude >= difference.magnitude / 2
                }
                return OddNode(
                    node: node, difference: difference, stages: alike, stageCount: stages.count,
                    sessions: byNode[node]?.count ?? 0, others: byNode.count - 1)
            }
        }
    }

    // MARK: - The numbers

    /// The logarithm of each session's median wall time by node, less its side's: the median of its nodes' means.
    private static func residuals(_ sides: [SideEvidence], stage: StageName?) -> [String: [Double]] {
        var all: [String: [Double]] = [:]
        for side in sides {
            var own: [String: [Double]] = [:]
            for (session, values) in zip(side.sessions, side.values(of: .wall, in: stage)) {
                guard let place = session.place, let median = FrozenProfile.median(values), median > 0 else {
                    continue
                }
                own[place.node, default: []].append(Logarithm.natural(median))
            }
            guard let center = FrozenProfile.median(own.values.map(mean)) else { continue }
            for (node, values) in own { all[node, default: []] += values.map { $0 - center } }
        }
        return all
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// By how much a node's mean is off that of the others' means.
    private static func deviation(of node: String, among byNode: [String: [Double]]) -> Double? {
        let others = byNode.filter { $0.key != node }.values.map(mean)
        guard let own = byNode[node], !others.isEmpty else { return nil }
        return mean(own) - mean(others)
    }

    /// By how much a node is off when it is odd: Student's test of its mean against those of the others, as many times stricter
    /// as there are nodes; nil for one that is not, or fewer than three others.
    private static func oddNode(_ node: String, among byNode: [String: [Double]]) -> Double? {
        let others = byNode.filter { $0.key != node }.values.map(mean)
        guard others.count >= 3, let difference = deviation(of: node, among: byNode),
            difference.magnitude > leastDifference,
            let student = StudentT(degreesOfFreedom: Double(others.count - 1))
        else { return nil }
        let center = mean(others)
        let variance = others.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(others.count - 1)
        let deviation = max(variance, leastDeviation * leastDeviation).squareRoot()
        let statistic = difference.magnitude / (deviation * (1 + 1 / Double(others.count)).squareRoot())
        let probability = 2 * student.upperTail(statistic) * Double(byNode.count)
        return probability < errorRate ? difference : nil
    }

    /// The share of the variance that lies between groups, by the analysis of variance of one random factor with groups of
    /// unequal sizes; nil unless there are two groups and two values more than groups.
    static func betweenShare(_ groups: [[Double]]) -> Double? {
        let groups = groups.filter { !$0.isEmpty }
        let count = groups.reduce(0) { $0 + $1.count }
        guard groups.count >= 2, count >= groups.count + 2 else { return nil }
        let grand = groups.flatMap(\.self).reduce(0, +) / Double(count)
        var between = 0.0
        var within = 0.0
        var squares = 0.0
        for group in groups {
            let center = mean(group)
            between += Double(group.count) * (center - grand) * (center - grand)
            within += group.reduce(0) { $0 + ($1 - center) * ($1 - center) }
            squares += Double(group.count * group.count)
        }
        let meanBetween = between / Double(groups.count - 1)
        let meanWithin = within / Double(count - groups.count)
        let size = (Double(count) - squares / Double(count)) / Double(groups.count - 1)
        let component = max(0, (meanBetween - meanWithin) / size)
        let total = component + meanWithin
        return total > 0 ? component / total : nil
    }

    // MARK: - What is said of it

    /// Sentences; none where sessions are not of several nodes.
    ///
    /// - Parameter isExcluded: Whether odd nodes are left out.
    func sentences(isExcluded: Bool) -> [String] {
        guard nodes > 1 else { return [] }
        var sentences: [String] = []
        if let betweenShare {
            sentences.append(
                "Of the variance between sessions about \((100 * betweenShare).fixed(0)) % lies between nodes "
                    + "(\(sessions) sessions on \(nodes) nodes, total wall time).")
        }
        for odd in oddNodes {
            let percent = Percent.ofLogarithm(odd.difference)
            let change = "\(Comparison.rounded(percent.magnitude)) % \(percent > 0 ? "slower" : "faster")"
            let extent =
                odd.stages.count == odd.stageCount && odd.stageCount > 0
                ? " on all stages"
                : odd.stages.isEmpty
                    ? "" : ", mostly in \(odd.stages.prefix(4).map(\.text).joined(separator: ", "))"
            let fate =
                isExcluded
                ? "Left out on both sides by rule: \(odd.sessions) of \(sessions) sessions."
                : "Its \(odd.sessions) sessions count; --exclude-odd-nodes leaves them out on both sides."
            sentences.append(
                "Node \(PlainText.sanitized(odd.node, maximumCharacters: 60)) is \(change) than the other \(odd.others)\(extent). "
                    + fate)
        }
        return sentences
    }
}

extension SideEvidence {
    /// The side without the sessions that were made on some nodes.
    func without(nodes: Set<String>) -> SideEvidence {
        guard !nodes.isEmpty else { return self }
        var side = SideEvidence(
            profile, sessions: sessions.filter { !nodes.contains($0.place?.node ?? "") })
        side.invalidSessions = invalidSessions
        return side
    }
}
