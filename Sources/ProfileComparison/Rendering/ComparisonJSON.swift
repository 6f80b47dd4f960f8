internal import FrozenProfile
internal import FunctionAttribution
internal import JSONDocument
internal import Measurement
internal import Statistics

extension Comparison {
    /// The schema of ``json``: the first number rises when a reader would misread it, the second when members are added.
    public static let jsonSchemaVersion = "2.1"

    /// The comparison as JSON, which `docs/formats/comparison.md` describes.
    public var json: String {
        let members: [(String, String?)] = [
            ("schema_version", Self.jsonSchemaVersion.asJSON), ("kind", "freeze-profile.comparison".asJSON),
            ("outcome", outcome.word.asJSON), ("headline", headline.asJSON),
            ("design", design.rawValue.asJSON), ("decision", decision),
            ("from", side(from)), ("to", side(to)),
            ("comparability", JSONText.lines(comparability.differences.map(difference))),
            ("counted", counted.map { JSONText.reading($0) { $0.json } }),
            ("rows", JSONText.lines(rows.map(row))),
            ("added_stages", JSONText.list(addedStages.map(\.text.asJSON))),
            ("removed_stages", JSONText.list(removedStages.map(\.text.asJSON))),
            ("exact_differences", JSONText.lines(exactDifferences.map(exact))),
            ("explanations", JSONText.lines(explanations.sorted { $0.key < $1.key }.map(explanation))),
            ("remeasured", remeasurement.map { JSONText.lines($0.lines.map(line)) }),
            ("notes", JSONText.lines(notes.map(\.asJSON))),
        ]
        let lines = members.compactMap { name, value in value.map { "  \(name.asJSON): \($0)" } }
        return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
    }

    private var decision: String {
        JSONText.object([
            ("error_rate", JSONText.number(settings.errorRate)), ("gate", settings.gate.rawValue.asJSON),
            ("corrections", "holm within total, holm within stages".asJSON),
            ("allowed", JSONText.list(settings.allowances.sorted().map(\.asJSON))),
            ("ledger", settings.ledger?.file.asJSON),
            ("shelf", design == .sessions ? settings.shelf.map(shelf) : nil),
            ("pairs", pairsMade.map { "\($0)" }),
            ("looks", plan.map { plan in JSONText.list(plan.looks.map { "\($0.pairs)" }) }),
            ("seed", plan.map { "\"\($0.seed)\"" }),
            ("order", plan?.order(of: pairsMade).asJSON),
        ])
    }

    private func shelf(_ shelf: ShelfNoise) -> String {
        JSONText.object([
            ("versions", JSONText.list(shelf.versions.map(\.asJSON))), ("sessions", "\(shelf.sessions)"),
            ("first_date", shelf.firstDate.asJSON), ("last_date", shelf.lastDate.asJSON),
            (
                "left_out",
                JSONText.object(shelf.leftOut.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") })
            ),
        ])
    }

    /// What is known of the noise between sessions, where sessions are compared.
    private func noise(_ row: ComparisonRow) -> String? {
        guard design == .sessions, row.change != nil,
            let known = settings.noise(of: row.metric, in: row.stage)
        else { return nil }
        return JSONText.object([
            ("source", (known.isOfShelf ? "shelf" : "ledger").asJSON),
            ("session_sd_ln", JSONText.number(known.variance.variance.squareRoot(), decimals: 9)),
            ("degrees_of_freedom", "\(known.variance.degreesOfFreedom)"),
            ("least_sd_ln", JSONText.number(known.leastVariance.squareRoot(), decimals: 9)),
            ("steps", known.isOfShelf ? "\(known.steps)" : nil),
        ])
    }

    private func side(_ side: Side) -> String {
        JSONText.object([
            ("release", side.release.asJSON), ("date", side.date.asJSON), ("commit", side.commit?.asJSON),
            ("sessions", "\(side.sessions)"), ("runs", "\(side.runs)"),
            ("schema_version", side.schema.description.asJSON),
        ])
    }

    private func difference(_ difference: Comparability.Difference) -> String {
        JSONText.object([
            ("key", difference.key.asJSON), ("sentence", difference.sentence.asJSON),
            ("forbids", "\(difference.forbids)"), ("allowed", "\(difference.isAllowed)"),
        ])
    }

    private func row(_ row: ComparisonRow) -> String {
        func value(_ reading: Reading<Double>) -> String {
            JSONText.reading(reading) { JSONText.number($0, decimals: row.metric.decimals) }
        }
        return JSONText.object([
            ("stage", row.stage?.text.asJSON ?? "null"), ("metric", row.metric.rawValue.asJSON),
            ("family", row.family.rawValue.asJSON), ("presence", row.presence.rawValue.asJSON),
            ("from", row.from.map(value)), ("to", row.to.map(value)),
            ("delta_pct", row.deltaPercent.map { JSONText.number($0) }), ("change", row.change.map(change)),
            ("mean", row.parts[.mean].map { part($0, row.metric) }),
            ("slowest", row.parts[.slowest].map { part($0, row.metric) }),
            ("kinds", kinds(row)), ("runs_with_stage", row.stage.flatMap { presence[$0] }.map(presence)),
            ("within_session", row.withinSession.map(change)),
            ("probability", row.regressionProbability.map { JSONText.number($0, decimals: 9) }),
            ("noise", noise(row)),
            ("drift_share", row.shareOfDrift.map { JSONText.number($0) }),
            ("paired_probability", row.pairedProbability.map { JSONText.number($0, decimals: 9) }),
            ("budget", row.budget.map { budget($0, old: row.from?.value) }),
            ("verdict", row.verdict?.rawValue.asJSON), ("reason", row.reason?.asJSON),
            ("remedy", row.remedy.map(remedy)), ("rule", row.ruleFlag.map(rule)),
        ])
    }

    private func part(_ part: PartChange, _ metric: Metric) -> String {
        JSONText.object([
            ("from", JSONText.number(part.from, decimals: metric.decimals)),
            ("to", JSONText.number(part.to, decimals: metric.decimals)),
            ("pct", JSONText.number(part.percent)),
            ("probability", JSONText.number(part.regressionProbability, decimals: 9)),
            ("within_probability", JSONText.number(part.withinProbability, decimals: 9)),
        ])
    }

    private func kinds(_ row: ComparisonRow) -> String? {
        func object(_ kinds: RunKinds) -> String {
            JSONText.object([
                ("slow_runs", "\(kinds.slow)"), ("runs", "\(kinds.runs)"),
                ("factor", JSONText.number(kinds.factor)),
            ])
        }
        guard row.fromKinds != nil || row.toKinds != nil else { return nil }
        return JSONText.object([("from", row.fromKinds.map(object)), ("to", row.toKinds.map(object))])
    }

    private func presence(_ presence: StagePresence) -> String {
        JSONText.object([
            ("from", "\(presence.from)"), ("from_runs", "\(presence.fromRuns)"),
            ("to", "\(presence.to)"),
            ("to_runs", "\(presence.toRuns)"),
        ])
    }

    private func change(_ change: LogChange) -> String {
        JSONText.object([
            ("pct", JSONText.number(change.percent)),
            ("lower_pct", JSONText.number(change.percentInterval.lower)),
            ("upper_pct", JSONText.number(change.percentInterval.upper)),
            ("upper_bound_pct", JSONText.number(change.percentUpperBound)),
            ("confidence", change.confidence.map { JSONText.number($0) } ?? "null"),
        ])
    }

    private func budget(_ budget: Budget, old: Double?) -> String {
        JSONText.object([
            ("pct", JSONText.number(budget.percent)),
            ("effective_pct", old.map { JSONText.number(budget.effectivePercent(old: $0)) }),
            ("floor", JSONText.number(budget.floor)), ("source", budget.source.kind.asJSON),
            ("provenance", budget.source.words.asJSON),
        ])
    }

    private func remedy(_ remedy: Remedy) -> String {
        JSONText.object([
            ("sessions_per_side", remedy.sessionsPerSide.map { "\($0)" }),
            ("runs_per_side", remedy.runsPerSide.map { "\($0)" }), ("sentence", remedy.sentence.asJSON),
        ])
    }

    private func rule(_ flag: RuleFlag) -> String {
        JSONText.object([
            ("key", flag.key.asJSON), ("max_delta_pct", JSONText.number(flag.maximumDeltaPercent)),
            ("delta_pct", JSONText.number(flag.deltaPercent)),
            ("severity", flag.severity.rawValue.asJSON),
        ])
    }

    private func exact(_ difference: ExactDifference) -> String {
        JSONText.object([
            ("stage", difference.stage?.text.asJSON ?? "null"), ("name", difference.name.asJSON),
            ("from", difference.from.asJSON), ("to", difference.to.asJSON),
        ])
    }

    private func explanation(_ entry: (key: StageName, value: StageExplanation)) -> String {
        JSONText.object([
            ("stage", entry.key.text.asJSON), ("clause", entry.value.clause?.asJSON),
            ("functions", entry.value.attribution?.json),
        ])
    }

    private func line(_ line: Remeasurement.Line) -> String {
        JSONText.object([
            ("metric", line.metric.rawValue.asJSON),
            ("frozen_pct", line.frozenPercent.map { JSONText.number($0) }),
            ("code_pct", line.codePercent.map { JSONText.number($0) }),
            ("code_lower_pct", line.codeInterval.map { JSONText.number($0.lower) }),
            ("code_upper_pct", line.codeInterval.map { JSONText.number($0.upper) }),
            ("drift_since_from_pct", line.driftSinceOldPercent.map { JSONText.number($0) }),
            ("drift_since_to_pct", line.driftSinceNewPercent.map { JSONText.number($0) }),
            ("sentence", line.sentence.asJSON),
        ])
    }
}

extension Comparison.Outcome {
    /// The outcome as scripts read it.
    public var word: String {
        switch self {
        case .notComparable: "not_comparable"
        case .verdict(let verdict): verdict.rawValue
        }
    }
}

extension Budget.Source {
    /// Who set the budget, in one word.
    var kind: String {
        switch self {
        case .commandLine: "command_line"
        case .rules: "rules"
        case .calibration: "calibration"
        case .standard: "standard"
        }
    }
}
