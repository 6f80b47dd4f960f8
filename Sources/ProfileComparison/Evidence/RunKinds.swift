internal import LinuxSystem
internal import Statistics

/// Runs of two kinds: some take clearly longer than the others.
public struct RunKinds: Equatable, Sendable {
    /// Runs of the slow kind.
    public let slow: Int
    /// All runs.
    public let runs: Int
    /// How many times as long the slow kind takes, by the means of both.
    public let factor: Double

    /// The kinds of some runs; nil for fewer than four, or where there is one kind.
    ///
    /// The largest gap between runs in order of value parts them, if it is a fifth of the value at least and three times as
    /// wide as runs of a kind scatter.
    public init?(_ values: [Double]) {
        guard values.count >= 4, let logarithms = values.sorted().logarithms else { return nil }
        let gaps = zip(logarithms.dropFirst(), logarithms).map(-)
        guard let widest = gaps.max(), widest >= Self.smallestGap, let place = gaps.firstIndex(of: widest)
        else { return nil }
        let kinds = [logarithms[...place], logarithms[(place + 1)...]].map(Array.init)
        if let scatter = VarianceEstimate.pooled(kinds.compactMap { VarianceEstimate(of: $0) }),
            widest < 3 * scatter.variance.squareRoot()
        {
            return nil
        }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        slow = kinds[1].count
        runs = values.count
        factor = Mathematics.exponential(mean(kinds[1]) - mean(kinds[0]))
    }

    private static let smallestGap = Percent.logarithm(ofPercent: 20)

    /// The kinds as a clause: `3 of 12 runs take 4 times as long`.
    var words: String {
        let times =
            factor < 1.95
            ? "\(Comparison.rounded(100 * (factor - 1))) % longer"
            : "\(Comparison.rounded(factor)) times as long"
        return "\(slow) of \(runs) runs take\(slow == 1 ? "s" : "") \(times)"
    }
}
