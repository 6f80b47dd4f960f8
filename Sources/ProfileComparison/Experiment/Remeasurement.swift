public import FrozenProfile
internal import LinuxSystem
internal import Measurement
public import Statistics

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
    ///   - from: The old version as it was frozen, whether or not it may be compared with the new one.
    ///   - to: The new version as it was frozen.
    ///   - now: The comparison of both versions' runs made in turn.
    public init(from: FrozenProfile, to: FrozenProfile, now: Comparison) {
        lines = now.rows(of: nil).filter { $0.family == .total }.map { row in
            let old = from.totals.use[row.metric]
            let new = to.totals.use[row.metric]
            var line = Line(
                metric: row.metric, frozenPercent: Self.percent(from: old, to: new),
                codePercent: row.changePercent, codeInterval: row.change?.percentInterval,
                driftSinceOldPercent: Self.percent(from: old, to: row.from),
                driftSinceNewPercent: Self.percent(from: new, to: row.to), sentence: "")
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
            text +=
                " The old version now measures \(Comparison.signed(drift)) % against what was frozen of it: that is the "
                + "machine, not the code."
        }
        return text
    }
}
