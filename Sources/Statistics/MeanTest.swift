internal import LinuxSystem

/// The test of two samples' means by their ratio: Welch's t test of the new mean less a multiple of the old one (Fieller).
public struct MeanTest: Equatable, Sendable {
    private let old: Moments
    private let new: Moments

    private struct Moments: Equatable {
        var mean: Double
        /// The variance of the mean.
        var variance: Double
        var count: Int

        init(_ values: [Double]) {
            let count = Double(values.count)
            let mean = values.reduce(0, +) / count
            let sum = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            let least = MeanTest.leastDeviation * mean
            self.mean = mean
            variance = max(sum / (count - 1), least * least) / count
            self.count = values.count
        }
    }

    /// Runs that are more alike than this share of their mean are not believed to be.
    public static let leastDeviation = 0.001

    /// The test of two samples of at least two values above zero; nil otherwise.
    public init?(old: [Double], new: [Double]) {
        guard min(old.count, new.count) >= 2, (old + new).allSatisfy({ $0 > 0 && $0.isFinite }) else {
            return nil
        }
        self.old = Moments(old)
        self.new = Moments(new)
    }

    /// The logarithm of the new mean by the old one.
    public var estimate: Double { Logarithm.natural(new.mean / old.mean) }

    /// The probability of means like these, or worse ones, if the logarithm of their ratio is at most this.
    public func probability(atMost shift: Double) -> Double { upperTail(shift, sign: 1) }

    /// The probability of means like these, or better ones, if the logarithm of their ratio is at least this.
    public func probability(atLeast shift: Double) -> Double { upperTail(shift, sign: -1) }

    private func upperTail(_ shift: Double, sign: Double) -> Double {
        let ratio = Mathematics.exponential(shift)
        let parts = (new.variance, ratio * ratio * old.variance)
        let sum = parts.0 + parts.1
        let spread = parts.0 * parts.0 / Double(new.count - 1) + parts.1 * parts.1 / Double(old.count - 1)
        guard let student = StudentT(degreesOfFreedom: sum * sum / spread) else { return 1 }
        return student.upperTail(sign * (new.mean - ratio * old.mean) / sum.squareRoot())
    }
}
