internal import FrozenProfile
internal import JSONDocument
internal import Measurement
internal import ProfileComparison

extension BlameReport {
    /// The schema of ``json``: the first number rises when a reader would misread it, the second when members are added.
    public static let jsonSchemaVersion = "1.0"

    /// The invoice as JSON, which `docs/blame.md` describes.
    public var json: String {
        let members: [(String, String?)] = [
            ("schema_version", Self.jsonSchemaVersion.asJSON), ("kind", "freeze-profile.blame".asJSON),
            ("outcome", verdict.rawValue.asJSON), ("headline", headline.asJSON), ("from", end(from)),
            ("to", end(to)),
            ("commits", "\(commits)"), ("builds", "\(builds)"), ("basis", basisJSON),
            ("culprits", JSONText.lines(culprits.map(culprit))), ("lines", JSONText.lines(lines.map(line))),
            ("skipped", JSONText.lines(skipped.map(skip))), ("notes", JSONText.lines(notes.map(\.asJSON))),
        ]
        let texts = members.compactMap { name, value in value.map { "  \(name.asJSON): \($0)" } }
        return "{\n" + texts.joined(separator: ",\n") + "\n}\n"
    }

    private func end(_ end: End) -> String {
        JSONText.object([("name", end.name.asJSON), ("commit", commit(end.commit))])
    }

    private func commit(_ commit: CommitDescription) -> String {
        JSONText.object([
            ("name", commit.name.asJSON), ("subject", commit.subject.asJSON),
            ("author", commit.author.asJSON),
            ("date", commit.date.asJSON), ("parents", "\(commit.parents)"),
        ])
    }

    private var basisJSON: String {
        switch basis {
        case .counts(let engine, let identity, let runs):
            JSONText.object([
                ("measure", "instructions".asJSON), ("engine", engine.asJSON),
                ("depends_on", identity.asJSON),
                ("runs", "\(runs)"), ("blind_to", CountedComparison.blindSpot.asJSON),
            ])
        case .time(let metric, let pairs):
            JSONText.object([("measure", metric.rawValue.asJSON), ("pairs", "\(pairs)")])
        }
    }

    private func culprit(_ culprit: Culprit) -> String {
        JSONText.object([
            ("commits", JSONText.list(culprit.commits.map(commit))),
            ("probability", culprit.probability.map { JSONText.number($0) }),
            ("confirmed", "\(culprit.isConfirmed)"),
            ("functions", JSONText.list(culprit.functions.flatMap(functions))),
        ])
    }

    private func functions(_ stage: StageFunctions) -> [String] {
        let decimals = if case .counts = basis { 0 } else { 6 }
        return stage.functions.map { function in
            JSONText.object([
                ("stage", stage.stage?.text.asJSON ?? "null"), ("name", function.name.asJSON),
                ("module", function.module?.asJSON),
                ("from", JSONText.number(function.from, decimals: decimals)),
                ("to", JSONText.number(function.to, decimals: decimals)),
            ])
        }
    }

    private func line(_ line: Line) -> String {
        JSONText.object([
            ("stage", line.stage?.text.asJSON ?? "null"), ("from", JSONText.number(line.from)),
            ("to", JSONText.number(line.to)), ("change", JSONText.number(line.change)),
            ("change_pct", line.percent(line.change).map { JSONText.number($0) }),
            ("shares", JSONText.list(line.shares.map { JSONText.number($0) })),
            ("residual", JSONText.number(line.residual)),
            ("frozen_change_pct", line.frozenPercent.map { JSONText.number($0) }),
            ("verdict", line.verdict?.rawValue.asJSON),
        ])
    }

    private func skip(_ skipped: Skipped) -> String {
        JSONText.object([("commit", commit(skipped.commit)), ("reason", skipped.reason.asJSON)])
    }
}
