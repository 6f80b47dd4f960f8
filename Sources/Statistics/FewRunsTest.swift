internal import LinuxSystem

/// Student's test of two samples' means, with a variance that is pooled over both and believed to be no smaller than is known.
///
/// The smallest probability of an exact test of ranks is one by the number of ways in which the values can fall into both samples,
/// which for few values is large. This one has no such bound; it takes values to be normal.
public struct FewRunsTest: Sendable {
    /// The mean of the second sample less that of the first.
    public let difference: Double
    /// The standard error of the difference.
    public let error: Double
    private let student: StudentT

    /// The test of two samples; nil where the variance of neither is known, for they have one value each, or a value is not finite.
    ///
    /// - Parameter leastVariance: The variance that a value has at least.
    public init?(_ first: [Double], _ second: [Double], leastVariance: Double) {
        let freedom = Double(first.count + second.count - 2)
        guard !first.isEmpty, !second.isEmpty, (first + second).allSatisfy(\.isFinite),
            let student = StudentT(degreesOfFreedom: freedom)
        else { return nil }
        let means = [first, second].map { $0.reduce(0, +) / Double($0.count) }
        let variance = max(Self.pooledVariance(first, second), leastVariance)
        difference = means[1] - means[0]
        error = (variance * (1 / Double(first.count) + 1 / Double(second.count))).squareRoot()
        self.student = student
    }

    /// The variance of a value about the mean of its sample; 0 where each sample has one value.
    public static func pooledVariance(_ first: [Double], _ second: [Double]) -> Double {
        func squares(_ values: [Double]) -> Double {
            let mean = values.reduce(0, +) / Double(max(1, values.count))
            return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        }
        let freedom = first.count + second.count - 2
        return freedom > 0 ? (squares(first) + squares(second)) / Double(freedom) : 0
    }

    /// The two-sided probability of means at least this far apart if nothing differs.
    public var probability: Double {
        guard error > 0 else { return difference == 0 ? 1 : 0 }
        return min(1, 2 * student.upperTail(difference.magnitude / error))
    }

    /// Half the width of the interval that holds the difference, in 95 of 100 cases.
    public var halfWidth: Double { student.quantile(upperTail: 0.025) * error }
}

extension MannWhitney {
    /// The smallest two-sided probability that samples of these sizes can have.
    public static func leastProbability(_ first: Int, _ second: Int) -> Double {
        var ways = 1.0
        for index in 1...max(1, min(first, second)) {
            ways = ways * Double(first + second + 1 - index) / Double(index)
        }
        return min(1, 2 / ways)
    }
}
