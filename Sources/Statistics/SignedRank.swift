/// Wilcoxon's signed-rank test of paired values: a diagnostic beside the unpaired test.
public enum SignedRank {
    /// The most pairs for which the exact distribution is made.
    public static let exactLimit = 100

    /// The probability of a sum of positive ranks at least this large when differences are symmetric about zero, exact given
    /// ties; differences of zero are left out first.
    ///
    /// - Returns: Nil for more pairs than ``exactLimit``; 1 for no difference that is not zero.
    public static func probabilityOfIncrease(_ differences: [Double]) -> Double? {
        let differences = differences.filter { $0 != 0 }
        guard differences.count <= exactLimit, differences.allSatisfy(\.isFinite) else { return nil }
        let sorted = differences.sorted { $0.magnitude < $1.magnitude }
        var doubledRanks: [Int] = []
        var start = 0
        while start < sorted.count {
            var end = start
            while end < sorted.count && sorted[end].magnitude == sorted[start].magnitude { end += 1 }
            doubledRanks += Array(repeating: start + end + 1, count: end - start)
            start = end
        }
        let observed = zip(sorted, doubledRanks).reduce(0) { $0 + ($1.0 > 0 ? $1.1 : 0) }
        // How many of the sign patterns have each sum, scaled by half at each step to a probability.
        var probabilities = [Double](repeating: 0, count: doubledRanks.reduce(0, +) + 1)
        probabilities[0] = 1
        var reached = 0
        for rank in doubledRanks {
            reached += rank
            for sum in stride(from: reached, through: 0, by: -1) {
                probabilities[sum] = (probabilities[sum] + (sum >= rank ? probabilities[sum - rank] : 0)) / 2
            }
        }
        return min(1, probabilities[observed...].reversed().reduce(0, +))
    }
}
