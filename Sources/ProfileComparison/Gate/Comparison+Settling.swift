extension Comparison {
    /// Takes the verdicts of undecided rows from runs that were made in turn afterwards, where these decide.
    ///
    /// Each of both comparisons uses up its own part of the error rate, fixed beforehand. What was decided stays.
    ///
    /// - Returns: How many rows were decided.
    public mutating func settle(by measured: Comparison) -> Int {
        guard measured.comparability.refusals.isEmpty else { return 0 }
        var settled = 0
        for index in rows.indices where rows[index].verdict == .inconclusive {
            let row = rows[index]
            guard
                let found = measured.rows.first(where: {
                    $0.stage == row.stage && $0.metric == row.metric && $0.family == row.family
                }), found.verdict != .inconclusive, found.verdict != nil || found.isWithinFloor
            else { continue }
            rows[index].verdict = found.verdict
            rows[index].isWithinFloor = found.isWithinFloor
            rows[index].change = found.change
            rows[index].parts = found.parts
            rows[index].regressionProbability = found.regressionProbability
            rows[index].reason = "Decided by \(measured.pairsMade ?? 0) pairs of runs made afterwards."
            rows[index].remedy = nil
            settled += 1
        }
        return settled
    }
}
