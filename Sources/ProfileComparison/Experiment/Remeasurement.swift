public import FrozenProfile
internal import LinuxSystem
internal import Measurement

/// What a frozen comparison and a new measurement of both versions side by side say together: how much of a frozen change is
/// the code's, and how much the machine's.
public struct Remeasurement: Equatable, Sendable {
    /// A metric of the whole run. All changes in percent.
    public struct Line: Equatable, Sendable {
        public var metric: Metric
        /// From the old frozen value to the new frozen one.
        public var frozenPercent: Double?
        /// From the old version to the new one, run in turn now: the change of the code.
        public var codePercent: Double?
        public var codeInterval: Interval?
        /// From the old frozen value to the old version now: the machine's drift since the old version was frozen.
        public var driftSinceOldPercent: Double?
        /// From the new frozen value to the new version now.
        public var driftSinceNewPercent: Double?
        /// What to make of it, as a sentence.
        public var sentence: String
    }

    public var lines: [Line]

    /// - Parameters:
    ///   - frozen: The comparison of the frozen versions, whatever its verdict.
    ///   - now: That of both versions' runs made in turn.
    public init(frozen: Comparison, now: Comparison) {
        lines = now.rows(of: nil).filter { $0.family == .total }.map { row in
            let then = frozen.rows(of: nil).first { $0.metric == row.metric }
            var line = Line(
                metric: row.metric, frozenPercent: then?.deltaPercent, codePercent: row.changePercent,
                codeInterval: row.change?.percentInterval,
                driftSinceOldPercent: Self.percent(from: then?.from, to: row.from),
                driftSinceNewPercent: Self.percent(from: then?.to, to: row.to), sentence: "")
            line.sentence = Self.sentence(line, row.verdict)
            return line
        }
    }

    private static func percent(from: Reading<Double>?, to: Reading<Double>?) -> Double? {
        guard let from = from?.value, let to = to?.value, from > 0 else { return nil }
        return 100 * (to / from - 1)
    }

    private static func sentence(_ line: Line, _ verdict: Verdict?) -> String {
        let name = line.metric.words
        guard let code = line.codePercent else { return "\(name) could not be measured again." }
        var text = "Side by side, \(name) changed by \(Comparison.signed(code)) %"
        if let interval = line.codeInterval, interval.lower.isFinite, interval.upper.isFinite {
            text += " (\(Comparison.signed(interval.lower)) to \(Comparison.signed(interval.upper)) %)"
        }
        if let frozen = line.frozenPercent { text += "; frozen it was \(Comparison.signed(frozen)) %" }
        text += "."
        if let drift = line.driftSinceOldPercent {
            text += " The old version now measures \(Comparison.signed(drift)) % of its frozen value: that is the machine, "
                + "not the code."
        }
        return text
    }
}
