internal import FrozenProfile
internal import Measurement

/// The stages of a comparison in the order a person wants to read them.
struct StageOrder {
    /// All stages: regressed ones first, then undecided ones that stand out, improved ones, those of one side alone, and the
    /// others; those of a kind by how far they changed, the others in the order of the pipeline.
    let stages: [StageName]
    /// The last of them: neither decided nor standing out, in all runs of both sides, within every threshold.
    let quiet: [StageName]

    private enum Kind: Int {
        case regressed, standsOut, improved, partlyPresent, quiet
    }

    init(_ comparison: Comparison) {
        var places: [(stage: StageName, kind: Kind, change: Double)] = []
        var seen: Set<StageName> = []
        for stage in comparison.rows.compactMap(\.stage) where seen.insert(stage).inserted {
            let rows = comparison.rows(of: stage)
            let kind = Self.kind(of: rows, isPartlyPresent: comparison.presence[stage] != nil)
            let change =
                switch kind {
                case .regressed: Self.largest(rows.filter { $0.verdict == .regressed })
                case .standsOut: rows.filter(\.standsOut).compactMap(\.standing).max() ?? 0
                case .improved: Self.largest(rows.filter { $0.verdict == .improved })
                case .partlyPresent, .quiet: 0.0
                }
            places.append((stage, kind, change))
        }
        let order = places.indices.sorted { one, other in
            let (a, b) = (places[one], places[other])
            return (a.kind.rawValue, -a.change, one) < (b.kind.rawValue, -b.change, other)
        }
        stages = order.map { places[$0].stage }
        quiet = order.filter { places[$0].kind == .quiet }.map { places[$0].stage }
    }

    private static func kind(of rows: [ComparisonRow], isPartlyPresent: Bool) -> Kind {
        if rows.contains(where: { $0.verdict == .regressed }) { return .regressed }
        if rows.contains(where: \.standsOut) { return .standsOut }
        if rows.contains(where: { $0.verdict == .improved }) { return .improved }
        let isNotable =
            isPartlyPresent
            || rows.contains { $0.presence != .both || $0.ruleFlag != nil || $0.parting != nil }
        return isNotable ? .partlyPresent : .quiet
    }

    private static func largest(_ rows: [ComparisonRow]) -> Double {
        rows.map { ($0.changePercent ?? 0).magnitude }.max() ?? 0
    }
}
