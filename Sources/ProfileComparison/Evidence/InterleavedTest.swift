public import Statistics

/// The exact Mann-Whitney test of runs made in turn, shifted by the margin in question.
///
/// Interleaving in random order leaves no bias of drift; the unpaired test is then conservative.
public struct InterleavedTest: Sendable {
    private let old: [Double]
    private let new: [Double]
    private let shift: ShiftEstimate

    /// The fewest runs a side of which any verdict is drawn.
    public static let fewestRuns = 8

    /// The test of two commands' logarithms; nil for fewer than ``fewestRuns`` a side or a value that is not finite.
    public init?(old: [Double], new: [Double]) {
        guard min(old.count, new.count) >= Self.fewestRuns, let shift = ShiftEstimate(from: old, to: new)
        else { return nil }
        self.old = old
        self.new = new
        self.shift = shift
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
        let runs = (Double(min(old.count, new.count)) * factor * factor).rounded(.up)
        return runs <= 10_000 ? max(Int(runs), min(old.count, new.count) + 1) : nil
    }

    private func probability(_ shift: Double, _ alternative: MannWhitney.Alternative) -> Double {
        MannWhitney.test(new.map { $0 - shift }, old, alternative: alternative)?.probability ?? 1
    }
}
