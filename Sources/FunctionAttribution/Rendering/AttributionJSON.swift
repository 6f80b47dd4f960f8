internal import JSONDocument
internal import Measurement

extension Attribution {
    /// The attribution as a JSON object: `docs/formats/comparison.md` describes its members.
    package var json: String {
        let text = AttributionText(self)
        let shown = text.shownFunctions(fewest: 20, most: 100)
        let rest = text.rest(of: shown)
        let unit: String
        var reason: String?
        switch basis {
        case .seconds: unit = "seconds"
        case .shares(let why):
            unit = "percent"
            reason = why
        }
        return JSONText.object([
            ("unit", unit.asJSON), ("shares_only_because", reason?.asJSON), ("from", side(before)),
            ("to", side(after)),
            ("change", JSONText.number(change)), ("residual", JSONText.number(residual)),
            (
                "others",
                JSONText.object([
                    ("count", "\(rest.others)"), ("charged_change", JSONText.number(rest.change)),
                ])
            ),
            ("tested", "\(tested)"),
            ("false_discovery_rate", JSONText.number(AttributionMaker.falseDiscoveryRate)),
            ("functions", JSONText.list(shown.map(\.json))), ("notes", JSONText.list(notes.map(\.asJSON))),
        ])
    }

    private func side(_ side: Side) -> String {
        JSONText.object([
            ("runs", "\(side.runs)"), ("samples", "\(side.samples)"),
            ("median", JSONText.number(side.median)),
        ])
    }
}

extension FunctionChange {
    fileprivate var json: String {
        func cost(_ cost: Cost) -> String {
            JSONText.object([
                ("self", JSONText.number(cost.own)), ("total", JSONText.number(cost.total)),
                ("charged", JSONText.number(cost.charged)),
                ("self_samples", "\(cost.ownSamples)"), ("total_samples", "\(cost.totalSamples)"),
            ])
        }
        return JSONText.object([
            ("function", function.asJSON), ("module", module?.asJSON), ("file", file?.asJSON),
            ("label", label?.rawValue.asJSON), ("from", cost(before)), ("to", cost(after)),
            ("self_change", JSONText.number(selfChange)), ("charged_change", JSONText.number(chargedChange)),
            ("total_change", JSONText.number(totalChange)),
            ("probability", pValue.map { JSONText.number($0, decimals: 9) }),
            (
                "sampling_interval",
                samplingInterval.map {
                    JSONText.list([JSONText.number($0.lowerBound), JSONText.number($0.upperBound)])
                }
            ),
            ("unseen_bound", unseenBound.map { JSONText.number($0) }),
            (
                "callers",
                callers.map {
                    JSONText.object([("from", $0.before.asJSON), ("to", $0.after.asJSON)])
                }
            ),
            ("shifted_within", shiftedWithin?.asJSON),
        ])
    }
}
