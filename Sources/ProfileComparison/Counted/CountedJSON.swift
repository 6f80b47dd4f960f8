internal import FrozenProfile
internal import JSONDocument
internal import Measurement

extension CountedComparison {
    /// The member `counted` of a comparison: docs/formats/comparison.md.
    var json: String {
        JSONText.object([
            ("verdict", verdict.rawValue.asJSON), ("engine", from.engine.asJSON),
            ("depends_on", from.identity.asJSON), ("budget_pct", JSONText.number(budgetPercent)),
            ("blind_to", Self.blindSpot.asJSON), ("rows", JSONText.list(rows.map(Self.row))),
            ("notes", JSONText.list((systemCallNotes + notes).map(\.asJSON))),
        ])
    }

    private static func row(_ row: Row) -> String {
        func count(_ part: FrozenCounts.Part?) -> String? {
            part.map { JSONText.number($0.median, decimals: 0) }
        }
        return JSONText.object([
            ("stage", row.stage?.text.asJSON ?? "null"), ("from", count(row.from)), ("to", count(row.to)),
            ("system_calls_from", row.from?.systemCallCount.value.map { "\($0)" }),
            ("system_calls_to", row.to?.systemCallCount.value.map { "\($0)" }),
            ("change_pct", row.changePercent.map { JSONText.number($0, decimals: 6) }),
            ("floor_pct", JSONText.number(row.floorPercent, decimals: 6)),
            ("verdict", row.verdict?.rawValue.asJSON), ("reason", row.reason?.asJSON),
            ("functions", JSONText.list(row.functions.map(function))),
        ])
    }

    private static func function(_ function: Function) -> String {
        JSONText.object([
            ("name", function.name.asJSON), ("module", function.module?.asJSON),
            ("from", JSONText.number(function.from, decimals: 0)),
            ("to", JSONText.number(function.to, decimals: 0)),
        ])
    }
}
