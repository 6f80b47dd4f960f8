internal import LinuxSystem

/// The Mann-Whitney U test of two independent samples.
///
/// Exact while the product of the sample sizes is at most ``exactPairLimit``: the distribution of the statistic given
/// the ties of the pooled sample. Beyond, the normal approximation with tie and continuity correction.
public enum MannWhitney {
    /// Which deviation from equality counts.
    public enum Alternative: Sendable {
        /// Values of the first sample tend to be smaller.
        case less
        /// Values of the first sample tend to be larger.
        case greater
        /// Either: twice the smaller of both probabilities.
        case twoSided
    }

    /// What a test found.
    public struct Outcome: Equatable, Sendable {
        /// The pairs in which the first sample's value is the larger, a tie for one half.
        public var statistic: Double
        /// The probability of a statistic at least as extreme when both samples come from one population.
        public var probability: Double
        /// Whether the probability is exact rather than by the normal approximation.
        public var isExact: Bool
    }

    /// The largest product of the sample sizes for which the exact distribution is used: 50 values a side.
    public static let exactPairLimit = 2500

    /// The test of two samples, each of at least one finite value.
    ///
    /// - Returns: Nil when a sample is empty or has a value that is not finite.
    public static func test(
        _ first: [Double], _ second: [Double], alternative: Alternative
    ) -> Outcome? {
        guard !first.isEmpty, !second.isEmpty, (first + second).allSatisfy(\.isFinite) else { return nil }
        let pooled = PooledRanks(first, second)
        if first.count * second.count <= exactPairLimit {
            let distribution = RankSumDistribution.of(first: first.count, tieSizes: pooled.tieSizes)
            return outcome(
                pooled.doubledStatistic, alternative, isExact: true, atMost: distribution.atMost,
                atLeast: distribution.atLeast
            )
        }
        let approximation = NormalApproximation(first: first.count, tieSizes: pooled.tieSizes)
        return outcome(
            pooled.doubledStatistic, alternative, isExact: false, atMost: approximation.atMost,
            atLeast: approximation.atLeast)
    }

    /// Two samples of one stratum: values that may be compared with each other, and with no others.
    public typealias Stratum = (first: [Double], second: [Double])

    /// The test of samples in strata, which differ by more than what is tested: the statistics of all are added up (van Elteren,
    /// for strata of equal sizes).
    ///
    /// - Returns: Nil when there is no stratum, or when a sample of one is empty or has a value that is not finite.
    public static func test(strata: [Stratum], alternative: Alternative) -> Outcome? {
        guard strata.count > 1 else {
            return strata.first.flatMap { test($0.first, $0.second, alternative: alternative) }
        }
        guard
            strata.allSatisfy({
                !$0.first.isEmpty && !$0.second.isEmpty && ($0.first + $0.second).allSatisfy(\.isFinite)
            })
        else { return nil }
        let pooled = strata.map { PooledRanks($0.first, $0.second) }
        let doubled = pooled.reduce(0) { $0 + $1.doubledStatistic }
        if strata.reduce(0, { $0 + $1.first.count * $1.second.count }) <= exactPairLimit {
            let distribution = RankSumDistribution.sum(
                of: zip(strata, pooled).map {
                    RankSumDistribution.of(first: $0.first.count, tieSizes: $1.tieSizes)
                })
            return outcome(
                doubled, alternative, isExact: true, atMost: distribution.atMost,
                atLeast: distribution.atLeast)
        }
        let approximation = NormalApproximation(
            sum: zip(strata, pooled).map { NormalApproximation(first: $0.first.count, tieSizes: $1.tieSizes) }
        )
        return outcome(
            doubled, alternative, isExact: false, atMost: approximation.atMost,
            atLeast: approximation.atLeast)
    }

    private static func outcome(
        _ doubled: Int, _ alternative: Alternative, isExact: Bool, atMost: (Int) -> Double,
        atLeast: (Int) -> Double
    ) -> Outcome {
        let probability =
            switch alternative {
            case .less: atMost(doubled)
            case .greater: atLeast(doubled)
            case .twoSided: min(1, 2 * min(atMost(doubled), atLeast(doubled)))
            }
        return Outcome(statistic: Double(doubled) / 2, probability: probability, isExact: isExact)
    }
}

/// The ranks of two samples in one order.
private struct PooledRanks {
    /// How many values are equal, group by group in ascending order.
    var tieSizes: [Int] = []
    /// Twice the number of pairs in which the first sample's value is the larger, ties for one half.
    var doubledStatistic: Int

    init(_ first: [Double], _ second: [Double]) {
        let all = (first.map { ($0, true) } + second.map { ($0, false) }).sorted { $0.0 < $1.0 }
        var doubledRankSum = 0
        var start = 0
        while start < all.count {
            var end = start
            var ofFirst = 0
            while end < all.count && all[end].0 == all[start].0 {
                if all[end].1 { ofFirst += 1 }
                end += 1
            }
            doubledRankSum += ofFirst * (start + end + 1)
            tieSizes.append(end - start)
            start = end
        }
        doubledStatistic = doubledRankSum - first.count * (first.count + 1)
    }
}

/// The normal approximation of the doubled statistic's distribution.
private struct NormalApproximation {
    private let mean: Double
    private let deviation: Double

    init(first: Int, tieSizes: [Int]) {
        let pooled = Double(tieSizes.reduce(0, +))
        let pairs = Double(first) * (pooled - Double(first))
        let ties = tieSizes.reduce(0.0) { $0 + Double($1) * (Double($1) * Double($1) - 1) }
        mean = pairs / 2
        deviation = (pairs / 12 * (pooled + 1 - ties / (pooled * (pooled - 1)))).squareRoot()
    }

    /// That of the sum of independent statistics.
    init(sum parts: [NormalApproximation]) {
        mean = parts.reduce(0) { $0 + $1.mean }
        deviation = parts.reduce(0) { $0 + $1.deviation * $1.deviation }.squareRoot()
    }

    func atMost(_ doubled: Int) -> Double { upperTail(mean - Double(doubled) / 2) }
    func atLeast(_ doubled: Int) -> Double { upperTail(Double(doubled) / 2 - mean) }

    /// The probability of exceeding the mean by so much, less half a step, because the statistic moves in steps.
    private func upperTail(_ excess: Double) -> Double {
        guard deviation > 0 else { return 1 }
        return NormalDistribution.upperTail((excess - 0.5) / deviation)
    }
}
