internal import FrozenProfile
internal import Statistics

/// The test whether something costs more or less on one side, run by run.
///
/// Where the exact test of ranks could not call even one of so many tests, for there are too few runs, Student's test is taken.
struct RunTest {
    /// Whether ranks are tested.
    let usesRanks: Bool

    /// The test for so many runs on each side.
    ///
    /// - Parameters:
    ///   - tests: How many are made.
    ///   - level: What the smallest of their probabilities must reach, times their number, to be called.
    init(runs: (Int, Int), tests: Int, level: Double) {
        usesRanks = MannWhitney.leastProbability(runs.0, runs.1) * Double(max(1, tests)) <= level
    }

    /// The two-sided probability of two groups of runs at least this different when nothing is; 1 where there is nothing to
    /// compare.
    ///
    /// - Parameter leastVariance: The variance of a run's value that counting samples and the scatter of runs give it.
    func probability(
        _ before: [Double], _ after: [Double], leastVariance: @autoclosure () -> Double
    ) -> Double {
        guard usesRanks else {
            return FewRunsTest(before, after, leastVariance: leastVariance())?.probability ?? 1
        }
        return MannWhitney.test(before, after, alternative: .twoSided)?.probability ?? 1
    }
}

/// What runs spent in one place of the stacks, and how many samples say so.
struct RunValues {
    var before: [Double]
    var after: [Double]
    /// Of both sides.
    var samples: Int64
    /// Of the stage, on both sides.
    var stageSamples: Int64

    /// The mean of all runs.
    var mean: Double { (before + after).reduce(0, +) / Double(max(1, before.count + after.count)) }

    /// The variance of a run's value about its side's mean.
    var variance: Double { FewRunsTest.pooledVariance(before, after) }

    /// The variance of a run's value by chance alone: which of the stage's samples fall here is binomial.
    var countingVariance: Double {
        let count = Double(max(1, samples)) / Double(max(1, before.count + after.count))
        let share = min(1, Double(samples) / Double(max(1, stageSamples)))
        let perSample = mean / count
        return perSample * perSample * max(count * (1 - share), 0)
    }

    /// The variance of a run's value by chance and by how much a stage's runs scatter besides.
    ///
    /// - Parameter scatter: The square of the standard deviation, by the mean.
    func leastVariance(scatter: Double) -> Double { countingVariance + scatter * mean * mean }

    /// How much the functions of a stage scatter from run to run beyond what counting samples explains: the median of all, as the
    /// square of a standard deviation by the mean. It is no smaller than what runs are believed to be alike.
    static func scatter(_ functions: [RunValues]) -> Double {
        let least = MeanTest.leastDeviation * MeanTest.leastDeviation
        let excess = functions.compactMap { function -> Double? in
            guard function.mean > 0 else { return nil }
            return (function.variance - function.countingVariance) / (function.mean * function.mean)
        }
        return max(least, FrozenProfile.median(excess) ?? 0)
    }
}
