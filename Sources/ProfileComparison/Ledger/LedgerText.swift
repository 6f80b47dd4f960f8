internal import FrozenProfile
internal import Measurement
internal import Statistics

/// A noise ledger as a table for a person.
public enum LedgerText {
    /// How much sessions differ, by stage and metric, and the budgets that follow.
    public static func render(_ ledger: NoiseLedger) -> String {
        var lines = [
            "How much sessions of one version differ (standard deviation), and the budget that allows to test:",
            "",
            "                            sessions  differ by  deg. of freedom   budget",
        ]
        let stages = [nil] + Set(ledger.entries.keys.compactMap(\.stage)).sorted().map { Optional($0) }
        for stage in stages where Metric.judged.contains(where: { ledger[stage, $0] != nil }) {
            lines.append(TextLines.cut(stage?.text ?? "whole run", to: 78))
            for metric in Metric.judged {
                guard let entry = ledger[stage, metric] else { continue }
                let deviation = Percent.ofLogarithm(entry.sessions.variance.squareRoot())
                lines.append(
                    "  " + metric.words.padded(to: 26) + "\(entry.sessionCount)".leftPadded(to: 8)
                        + "\(deviation.fixed(2)) %".leftPadded(to: 11)
                        + "\(entry.sessions.degreesOfFreedom)".leftPadded(to: 17)
                        + (entry.proposedBudgetPercent.map { "\(Comparison.rounded($0)) %" } ?? "")
                        .leftPadded(to: 9))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
