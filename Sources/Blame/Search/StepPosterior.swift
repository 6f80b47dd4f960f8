internal import LinuxSystem

/// Where in a line of commits a value changed, as a distribution over one or two steps. Pure.
///
/// The whole change is known from both ends; what is sought is where it happened. Each observation is the difference of one run
/// of some commit to one of the first. Its noise is taken to be Student's with four degrees of freedom, so that a run that was
/// disturbed moves little.
public struct StepPosterior {
    /// A value that rises by a share of the change at one commit, and by the rest at another one that is later or the same.
    private struct Hypothesis {
        var first: Int
        var second: Int
        var share: Double
        var logWeight: Double

        /// The share of the whole change that has happened by a commit.
        func level(_ place: Int) -> Double { place >= second ? 1 : place >= first ? share : 0 }
    }

    /// The place of the last commit; the first is 0.
    public let count: Int
    private let change: Double
    private let scale: Double
    private var hypotheses: [Hypothesis] = []

    /// The most commits for which two steps are considered: their number is squared.
    private static let mostForTwo = 500
    private static let shares = [0.25, 0.5, 0.75]

    /// - Parameters:
    ///   - count: The place of the last commit, at least 1.
    ///   - change: How much the last lies above the first; not 0.
    ///   - scale: The scale of the noise of one observation, above 0.
    public init(count: Int, change: Double, scale: Double) {
        self.count = count
        self.change = change
        self.scale = scale
        let two = count > 1 && count <= Self.mostForTwo
        let one = two ? 0.5 : 1
        for place in 1...count {
            hypotheses.append(
                Hypothesis(
                    first: place, second: place, share: 1,
                    logWeight: Mathematics.logarithm(one / Double(count))))
        }
        guard two else { return }
        let pairs = Double(count * (count - 1) / 2 * Self.shares.count)
        let weight = Mathematics.logarithm((1 - one) / pairs)
        for first in 1..<count {
            for second in first + 1...count {
                for share in Self.shares {
                    hypotheses.append(
                        Hypothesis(first: first, second: second, share: share, logWeight: weight))
                }
            }
        }
    }

    /// Takes in how much one run of a commit lies above one of the first.
    public mutating func observe(_ difference: Double, at place: Int) {
        for index in hypotheses.indices {
            let z = (difference - change * hypotheses[index].level(place)) / scale
            hypotheses[index].logWeight -= 2.5 * Mathematics.logarithm(1 + z * z / 4)
        }
    }

    private var weights: [Double] {
        let largest = hypotheses.map(\.logWeight).max() ?? 0
        let all = hypotheses.map { Mathematics.exponential($0.logWeight - largest) }
        let sum = all.reduce(0, +)
        return all.map { $0 / sum }
    }

    /// The probability, 0 to 1, that there is a step at each commit; index 0 is the first commit, which has none.
    public var marginals: [Double] {
        var result = [Double](repeating: 0, count: count + 1)
        for (hypothesis, weight) in zip(hypotheses, weights) {
            result[hypothesis.first] += weight
            if hypothesis.second != hypothesis.first { result[hypothesis.second] += weight }
        }
        return result
    }

    /// The steps of the most probable hypothesis.
    public var mostProbable: [Int] {
        guard let best = hypotheses.max(by: { $0.logWeight < $1.logWeight }) else { return [] }
        return best.first == best.second ? [best.first] : [best.first, best.second]
    }

    /// How much the hypotheses disagree about each commit: the variance of its level, 0 to 0.25. Measuring
    /// the one with the largest variance is expected to exclude most.
    public var disagreement: [Double] {
        // Levels are constant between steps, so sums of differences do.
        var mean = [Double](repeating: 0, count: count + 2)
        var square = mean
        for (hypothesis, weight) in zip(hypotheses, weights) {
            let share = hypothesis.share
            mean[hypothesis.first] += weight * share
            square[hypothesis.first] += weight * share * share
            mean[hypothesis.second] += weight * (1 - share)
            square[hypothesis.second] += weight * (1 - share * share)
        }
        for place in 1...count + 1 {
            mean[place] += mean[place - 1]
            square[place] += square[place - 1]
        }
        return (0...count).map { max(0, square[$0] - mean[$0] * mean[$0]) }
    }

    /// The commit to measure next: the one that shows most, or one that is built already and shows almost as much.
    ///
    /// - Parameters:
    ///   - built: Commits that need no build.
    ///   - skipped: Commits that cannot be measured.
    public func next(built: Set<Int>, skipped: Set<Int>) -> Int? {
        let disagreement = disagreement
        func best(_ places: [Int]) -> Int? { places.max { disagreement[$0] < disagreement[$1] } }
        guard count > 1, let place = best((1..<count).filter { !skipped.contains($0) }) else { return nil }
        let cheap = best((1..<count).filter { built.contains($0) && !skipped.contains($0) })
        if let cheap, disagreement[cheap] >= 0.7 * disagreement[place] { return cheap }
        return place
    }
}
