internal import Synchronization

/// The exact distribution of the Mann-Whitney statistic when both samples come from one population, given which of the
/// pooled values are equal.
///
/// The statistic counts the pairs in which the value of the first sample is the larger, a tie for one half. It is kept
/// doubled, as a whole number.
struct RankSumDistribution: Sendable {
    /// The probability of each doubled statistic from 0 to twice the number of pairs.
    private let probabilities: [Double]
    /// The probability of at most each doubled statistic.
    private let cumulative: [Double]

    /// Distributions made before: a comparison asks for few, and for each many times.
    private static let known = Mutex<[Sizes: RankSumDistribution]>([:])
    private static let mostKnown = 64

    private struct Sizes: Hashable {
        var first: Int
        var tieSizes: [Int]
    }

    /// The distribution for samples without equal values.
    static func of(first: Int, second: Int) -> RankSumDistribution {
        of(first: first, tieSizes: Array(repeating: 1, count: first + second))
    }

    /// The distribution for a first sample of a size, from pooled values in groups of equal ones, ascending.
    static func of(first: Int, tieSizes: [Int]) -> RankSumDistribution {
        let sizes = Sizes(first: first, tieSizes: tieSizes)
        if let found = known.withLock({ $0[sizes] }) { return found }
        let made = RankSumDistribution(first: first, tieSizes: tieSizes)
        known.withLock { known in
            if known.count >= mostKnown { known.removeAll() }
            known[sizes] = made
        }
        return made
    }

    /// The distribution for a first sample of a size, from pooled values in groups of equal ones.
    ///
    /// Counts, by dynamic programming over the pooled values, how many choices of the first sample have each sum of
    /// doubled mid-ranks. The counts are whole numbers to 2^53 and relatively exact to 1e-13 beyond.
    ///
    /// - Parameters:
    ///   - first: The first sample's size.
    ///   - tieSizes: How many values are equal, group by group in ascending order of value.
    private init(first: Int, tieSizes: [Int]) {
        let pooled = tieSizes.reduce(0, +)
        // Choosing the first sample is leaving out the second: the smaller one is chosen, and where that is the second,
        // the order of values is turned around so that the statistic stays the first one's.
        let isMirrored = first > pooled - first
        let first = isMirrored ? pooled - first : first
        let tieSizes = isMirrored ? tieSizes.reversed() : tieSizes
        // The smallest sum of doubled ranks is first * (first + 1); the statistic is the sum less this.
        let span = 2 * first * (pooled - first)
        let offset = first * (first + 1)
        let width = span + offset + 1
        // choices[size * width + sum]: how many sets of that size have that sum of doubled mid-ranks.
        var choices = [Double](repeating: 0, count: (first + 1) * width)
        choices[0] = 1
        var before = 0
        choices.withUnsafeMutableBufferPointer { choices in
            for tied in tieSizes {
                let doubledRank = 2 * before + tied + 1
                for place in 0..<tied where first > 0 {
                    for size in stride(from: min(first, before + place + 1), through: 1, by: -1) {
                        let row = size * width
                        let rowBefore = row - width
                        guard doubledRank < width else { continue }
                        for sum in doubledRank..<width {
                            choices[row + sum] += choices[rowBefore + sum - doubledRank]
                        }
                    }
                }
                before += tied
            }
        }
        let counts = choices[(first * width + offset)...]
        let total = counts.reduce(0, +)
        probabilities = counts.map { $0 / total }
        var sum = 0.0
        cumulative = counts.map { count in
            sum += count
            return sum / total
        }
    }

    /// The distribution of the sum of independent statistics.
    static func sum(of parts: [RankSumDistribution]) -> RankSumDistribution {
        guard let first = parts.first, parts.count > 1 else {
            return parts.first ?? RankSumDistribution(probabilities: [1])
        }
        return RankSumDistribution(
            probabilities: parts.dropFirst().reduce(first.probabilities) { left, part in
                var sum = [Double](repeating: 0, count: left.count + part.probabilities.count - 1)
                for (place, chance) in left.enumerated() where chance > 0 {
                    for (other, value) in part.probabilities.enumerated() {
                        sum[place + other] += chance * value
                    }
                }
                return sum
            })
    }

    private init(probabilities: [Double]) {
        self.probabilities = probabilities
        var sum = 0.0
        cumulative = probabilities.map { probability in
            sum += probability
            return min(1, sum)
        }
    }

    /// The probability of a statistic of at most this, doubled.
    func atMost(_ doubled: Int) -> Double {
        doubled < 0 ? 0 : doubled >= cumulative.count ? 1 : cumulative[doubled]
    }

    /// The probability of a statistic of at least this, doubled.
    ///
    /// By the mirror image where there is one, so that a small upper tail is not the difference of large numbers.
    func atLeast(_ doubled: Int) -> Double {
        guard doubled > 0 else { return 1 }
        guard doubled < probabilities.count else { return 0 }
        var sum = 0.0
        for probability in probabilities[doubled...].reversed() { sum += probability }
        return min(1, sum)
    }

    /// The largest statistic (not doubled) that has at most this probability of not being exceeded; nil for none.
    ///
    /// Only for samples without equal values, whose doubled statistics are all even.
    func largest(atMost probability: Double) -> Int? {
        var found: Int?
        for (doubled, value) in cumulative.enumerated() where doubled.isMultiple(of: 2) {
            // The last digit of a sum of counts must not decide about a bound that is met exactly.
            guard value <= probability * (1 + 1e-12) else { break }
            found = doubled / 2
        }
        return found
    }
}
