/// An interval of real numbers; a bound that the data do not give is infinite.
public struct Interval: Equatable, Sendable {
    public var lower: Double
    public var upper: Double

    /// An interval from a lower to an upper bound.
    public init(lower: Double, upper: Double) {
        self.lower = lower
        self.upper = upper
    }

    /// Half the distance of the bounds.
    public var halfWidth: Double { (upper - lower) / 2 }
}

/// How far the second of two samples lies above the first, by the differences of all their pairs.
///
/// The sorted differences are never made: a difference of a given rank is found by bisection, each step of which counts
/// in time linear in the sample sizes.
public struct ShiftEstimate: Sendable {
    /// Values that may be compared with each other, ascending.
    private let strata: [MannWhitney.Stratum]

    /// The estimate for two samples, each of at least one finite value; nil otherwise.
    public init?(from first: [Double], to second: [Double]) { self.init(strata: [(first, second)]) }

    /// The estimate for samples in strata, of whose differences only those within a stratum count; nil when there is no stratum,
    /// or when a sample of one is empty or has a value that is not finite.
    public init?(strata: [MannWhitney.Stratum]) {
        guard !strata.isEmpty,
            strata.allSatisfy({
                !$0.first.isEmpty && !$0.second.isEmpty && ($0.first + $0.second).allSatisfy(\.isFinite)
            })
        else { return nil }
        self.strata = strata.map { ($0.first.sorted(), $0.second.sorted()) }
    }

    private var pairs: Int { strata.reduce(0) { $0 + $1.first.count * $1.second.count } }

    /// The median difference of all pairs, the estimate of Hodges and Lehmann.
    public var hodgesLehmann: Double {
        let middle = pairs / 2
        guard pairs.isMultiple(of: 2) else { return difference(ofRank: middle + 1) }
        return (difference(ofRank: middle) + difference(ofRank: middle + 1)) / 2
    }

    /// The interval of Moses: the shifts that the Mann-Whitney test does not refute.
    ///
    /// - Parameter tail: The probability of error at each bound; one minus twice this is the interval's level.
    /// - Returns: Infinite bounds where samples of these sizes can refute no shift at that probability.
    public func interval(tail: Double) -> Interval {
        guard let excluded = excludedDifferences(tail: tail), excluded < pairs else {
            return Interval(lower: -.infinity, upper: .infinity)
        }
        return Interval(
            lower: difference(ofRank: excluded + 1), upper: difference(ofRank: pairs - excluded))
    }

    /// How many differences lie outside each bound; nil when the test cannot refute anything.
    private func excludedDifferences(tail: Double) -> Int? {
        if pairs <= MannWhitney.exactPairLimit {
            return RankSumDistribution.sum(
                of: strata.map { RankSumDistribution.of(first: $0.first.count, second: $0.second.count) }
            ).largest(atMost: tail)
        }
        // The largest statistic that the normal approximation of the test refutes, by the test's own formula.
        let mean = Double(pairs) / 2
        let variance = strata.reduce(0.0) { sum, part in
            let pairs = Double(part.first.count * part.second.count)
            return sum + pairs * Double(part.first.count + part.second.count + 1) / 12
        }
        let deviation = variance.squareRoot()
        var below = -1
        var above = Int(mean)
        while above - below > 1 {
            let middle = (below + above) / 2
            let probability = NormalDistribution.upperTail((mean - Double(middle) - 0.5) / deviation)
            if probability <= tail { below = middle } else { above = middle }
        }
        return below < 0 ? nil : below
    }

    /// The difference that has a rank, from 1, among all pairs' differences in ascending order.
    private func difference(ofRank rank: Int) -> Double {
        let lowest = strata.compactMap { part in
            part.first.last.flatMap { largest in part.second.first.map { $0 - largest } }
        }.min()
        let highest = strata.compactMap { part in
            part.first.first.flatMap { smallest in part.second.last.map { $0 - smallest } }
        }.max()
        guard let lowest, let highest else { return .nan }
        // Bisection over doubles by their order, so that the result is one of the differences, to the last bit.
        var below = Self.order(lowest)
        var atLeast = Self.order(highest)
        while below < atLeast {
            // The mean rounded down; the sum, or the difference, of both can be too large for a word.
            let middle = (below & atLeast) + ((below ^ atLeast) >> 1)
            if countOfDifferences(atMost: Self.value(middle)) >= rank {
                atLeast = middle
            } else {
                below = middle + 1
            }
        }
        return Self.value(atLeast)
    }

    /// Rounding a difference keeps the order, so both samples can be walked together.
    private func countOfDifferences(atMost limit: Double) -> Int {
        var count = 0
        for (first, second) in strata {
            var end = 0
            for value in first {
                while end < second.count && second[end] - value <= limit { end += 1 }
                count += end
            }
        }
        return count
    }

    /// A number that orders doubles as whole numbers are ordered.
    private static func order(_ value: Double) -> Int64 {
        // Adding zero makes the negative zero positive.
        let bits = Int64(bitPattern: (value + 0).bitPattern)
        return bits >= 0 ? bits : Int64.min - bits
    }

    private static func value(_ order: Int64) -> Double {
        Double(bitPattern: UInt64(bitPattern: order >= 0 ? order : Int64.min - order))
    }
}
