public import FrozenProfile
internal import Measurement

/// A decision in words, for a terminal, and the sentences that every format shares.
public enum GateText {
    /// A cost with its unit.
    public static func cost(_ value: Double, _ metric: Metric) -> String {
        let unit = metric.unit.gateName
        switch metric.unit {
        case .seconds: return "\(value.fixed(value < 100 ? 3 : 1)) \(unit)"
        case .mebibytes, .percent: return "\(value.fixed(1)) \(unit)"
        case .bytes: return "\(value.fixed(0)) \(unit)"
        case .count: return value.fixed(0)
        }
    }

    /// The verdict in a sentence.
    public static func headline(_ decision: GateDecision) -> String {
        let sides = "\(decision.from) to \(decision.to)"
        let failed = failures(decision)
        func others(_ count: Int) -> String { count > 0 ? " And \(count) more." : "" }
        switch decision.verdict {
        case .passed: return "Gate passed: \(sides)."
        case .regressed: return "Gate failed: \(sides). \(failed.first ?? "")\(others(failed.count - 1))"
        case .undecided:
            let open = undecided(decision)
            return "Gate undecided: \(sides). \(open.first ?? "")\(others(open.count - 1))"
        case .refused:
            return "Gate cannot decide: \(sides). \(decision.refusals.first ?? "")"
                + others(decision.refusals.count - 1)
        }
    }

    /// What fails, in sentences.
    public static func failures(_ decision: GateDecision) -> [String] {
        decision.failures
            + decision.rows.compactMap { if case .failed(let text) = $0.state { text } else { nil } }
    }

    /// What is undecided, in sentences.
    public static func undecided(_ decision: GateDecision) -> [String] {
        decision.rows.compactMap { if case .undecided(let text) = $0.state { text } else { nil } }
    }

    /// What was agreed until when, in one line.
    public static func agreed(_ decision: GateDecision) -> String {
        guard !decision.agreed.isEmpty else { return "Agreed: nothing." }
        return "Agreed: "
            + decision.agreed.map { acceptance in
                "\(acceptance.target) up to \(cost(acceptance.ceiling, acceptance.target.metric)) instead of "
                    + "\(cost(acceptance.baselineValue, acceptance.target.metric)) until \(acceptance.until) "
                    + "(\(acceptance.reason); \(acceptance.owner); \(acceptance.link))"
            }.joined(separator: "; ") + "."
    }

    /// The decision for a terminal.
    public static func render(_ decision: GateDecision) -> String {
        var lines = [headline(decision)]
        func list(_ title: String, _ sentences: [String]) {
            guard !sentences.isEmpty else { return }
            lines += ["", title] + sentences.map { "- \($0)" }
        }
        list("Why there is no decision:", decision.refusals)
        if decision.refusals.isEmpty {
            list("Failed:", failures(decision))
            if decision.policy != .warn { list("Undecided:", undecided(decision)) }
        }
        list("To be known:", decision.warnings)
        lines += ["", agreed(decision)]
        return lines.map { PlainText.sanitized($0, maximumCharacters: 4000) }.joined(separator: "\n") + "\n"
    }
}
