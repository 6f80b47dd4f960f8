public import FrozenProfile
internal import Measurement

extension Comparison {
    /// Every row that an agreement may be about: those of times and memory, then executed instructions, where both sides were
    /// counted.
    var gateRows: [ComparisonRow] {
        guard let counted = counted?.value else { return rows }
        return rows
            + counted.rows.map { counts in
                var row = ComparisonRow(
                    stage: counts.stage, metric: .instructions,
                    family: counts.stage == nil ? .total : .stages,
                    from: counts.from.map { .value($0.median) }, to: counts.to.map { .value($0.median) })
                row.budget = Budget(percent: counted.budgetPercent, source: .standard)
                row.verdict = counts.verdict
                row.reason = counts.reason
                return row
            }
    }

    /// The row of a target; nil where neither side has it.
    public func gateRow(of target: GateAgreements.Target) -> ComparisonRow? {
        gateRows.first { $0.stage == target.stage && $0.metric == target.metric }
    }
}

extension GateAgreements {
    /// The metrics that an agreement may be about.
    public static let metrics = Metric.judged + [.instructions]
}
