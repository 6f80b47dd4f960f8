public import Statistics

/// The exact Mann-Whitney test of runs made in turn, shifted by the margin in question.
///
/// Interleaving in random order leaves no bias of drift; the unpaired test is then conservative.
public struct InterleavedTest: Sendable {
    /// The runs of each machine: those of different ones are not compared.
    private let strata: [MannWhitney.Stratum]
    private let shift: ShiftEstimate
    private var runsPerSide: Int {
        min(strata.reduce(0) { $0 + $1.first.count }, strata.reduce(0) { $0 + $1.second.count })
    }

    /// The fewest runs a side of which any verdict is drawn.
    public static let fewestRuns = 8

    /// The test of two commands' logarithms; nil for fewer than ``fewestRuns`` a side or a value that is not finite.
    public init?(old: [Double], new: [Double]) { self.init(strata: [(old, new)]) }

    /// The test of two commands' logarithms on several machines, the old command's first; nil for fewer than ``fewestRuns`` a side
    /// in all, or a value that is not finite.
    public init?(strata: [MannWhitney.Stratum]) {
        guard let shift = ShiftEstimate(strata: strata) else { return nil }
        self.strata = strata
        self.shift = shift
        guard runsPerSide >= Self.fewestRuns else { return nil }
    }

    /// The median difference of all pairs of runs.
    public var estimate: Double { shift.hodgesLehmann }

    /// The probability of values this large if they are those of the old command and at most the shift.
    public func probability(atMost shift: Double) -> Double { probability(shift, .greater) }

    /// The probability of values this small if they are those of the old command and at least the shift.
    public func probability(atLeast shift: Double) -> Double { probability(shift, .less) }

    /// The shifts that the test does not refute.
    ///
    /// - Parameter tail: The probability of error at each bound.
    public func interval(tail: Double) -> Interval { shift.interval(tail: tail) }

    /// The fewest runs a side with which the interval's half-width would be at most this, going by the square root law.
    public func runsNeeded(halfWidth: Double, tail: Double) -> Int? {
        let now = interval(tail: tail).halfWidth
        guard now.isFinite, halfWidth > 0 else { return nil }
        let factor = now / halfWidth
        let runs = (Double(runsPerSide) * factor * factor).rounded(.up)
        return runs <= 10_000 ? max(Int(runs), runsPerSide + 1) : nil
    }

    private func probability(_ shift: Double, _ alternative: MannWhitney.Alternative) -> Double {
        MannWhitney.test(
            strata: strata.map { ($0.second.map { $0 - shift }, $0.first) }, alternative: alternative)?
            .probability ?? 1
    }
}
