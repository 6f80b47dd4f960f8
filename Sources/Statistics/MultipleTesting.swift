/// Corrections for testing several hypotheses at once.
public enum MultipleTesting {
    /// Probabilities adjusted by Holm: rejecting those of at most α keeps the chance of any false rejection at α.
    ///
    /// In the order given; each from 0 to 1.
    public static func holm(_ probabilities: [Double]) -> [Double] {
        var adjusted = probabilities
        var largest = 0.0
        for (rank, index) in ascending(probabilities).enumerated() {
            largest = max(largest, min(1, probabilities[index] * Double(probabilities.count - rank)))
            adjusted[index] = largest
        }
        return adjusted
    }

    /// Probabilities adjusted by Benjamini and Hochberg: rejecting those of at most q keeps the expected share of false
    /// rejections among all rejections at q.
    ///
    /// In the order given; each from 0 to 1.
    public static func benjaminiHochberg(_ probabilities: [Double]) -> [Double] {
        var adjusted = probabilities
        var smallest = 1.0
        for (rank, index) in ascending(probabilities).enumerated().reversed() {
            smallest = min(smallest, probabilities[index] * Double(probabilities.count) / Double(rank + 1))
            adjusted[index] = smallest
        }
        return adjusted
    }

    private static func ascending(_ values: [Double]) -> [Int] {
        values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
    }
}
