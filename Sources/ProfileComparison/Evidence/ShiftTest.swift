internal import FrozenProfile
internal import Statistics

/// What is compared of the runs on both sides: a shift of the typical run is only a part of what a user is charged for.
public enum Criterion: String, CaseIterable, Sendable {
    /// The median run.
    case typical
    /// The mean of all runs: what they cost together.
    case mean
    /// Where the slowest part of the runs begins.
    case slowest

    /// The share of the error rate of a row that a call of a regression, or of an improvement, by this criterion may use up.
    /// That of the typical run leaves the bounds of a two-sided interval: what lies beyond them is called.
    public var share: Double { self == .typical ? 0.5 : 0.25 }

    /// The value of a session's runs in the metric's unit; not a number for no run.
    func value(of runs: [Double]) -> Double {
        switch self {
        case .typical: FrozenProfile.median(runs) ?? .nan
        case .mean: runs.reduce(0, +) / Double(runs.count)
        case .slowest: Quantile.of(runs, at: 1 - Self.slowestShareOfSession)
        }
    }

    /// The share of a session's runs that are the slowest.
    static let slowestShareOfSession = 0.25
}

/// A test of how far something moved from the old version to the new one, on the scale of natural logarithms.
protocol ShiftTesting {
    /// The best estimate of the shift.
    var estimate: Double { get }
    /// The probability of data like these, or worse ones, if the shift is at most this.
    func probability(atMost shift: Double) -> Double
    /// The probability of data like these, or better ones, if the shift is at least this.
    func probability(atLeast shift: Double) -> Double
}

extension SessionTest: ShiftTesting {}
extension InterleavedTest: ShiftTesting {}
extension MeanTest: ShiftTesting {}
extension UpperTailTest: ShiftTesting {}

/// What repeats the measurement of a row's typical run.
enum TypicalTest {
    /// Frozen against frozen.
    case sessions(SessionTest)
    /// Runs of both versions in turn.
    case interleaved(InterleavedTest)

    var shift: any ShiftTesting {
        switch self {
        case .sessions(let test): test
        case .interleaved(let test): test
        }
    }

    /// The shifts that the test does not refute.
    ///
    /// - Parameter tail: The probability of error at each bound.
    func interval(tail: Double) -> Interval {
        switch self {
        case .sessions(let test): test.interval(tail: tail)
        case .interleaved(let test): test.interval(tail: tail)
        }
    }
}

/// The three tests of a row.
struct RowTest {
    var typical: TypicalTest
    var mean: any ShiftTesting
    var slowest: any ShiftTesting
    /// The smallest probability that the number of sessions allows to believe; 0 for runs made in turn.
    var leastChance = 0.0
    /// The runs of the side that has fewer.
    var fewestRuns: Int
    /// How many sessions each side needs before anything can be called in a family of one row; nil where there are enough.
    var sessions: (old: Int, new: Int)?
    /// What is known of the noise between sessions beside the two sides' own.
    var known: KnownNoise?

    /// The fewest runs a side that show with 95 % certainty a kind of run that one in four is of.
    static let fewestRunsForUnchanged = 11

    subscript(criterion: Criterion) -> any ShiftTesting {
        switch criterion {
        case .typical: typical.shift
        case .mean: mean
        case .slowest: slowest
        }
    }

    /// The probability of data like these if no criterion moved by more than the margin.
    func worse(margin: Double) -> Double {
        combined { $0.probability(atMost: margin) }
    }

    /// The probability of data like these if no criterion got better by more than the margin.
    func better(margin: Double) -> Double {
        combined { $0.probability(atLeast: -margin) }
    }

    /// The probability of data like these if any criterion moved by the margin or more.
    func within(margin: Double) -> Double {
        max(leastChance, Criterion.allCases.map { self[$0].probability(atLeast: margin) }.max() ?? 1)
    }

    private func combined(_ probability: (any ShiftTesting) -> Double) -> Double {
        let smallest = Criterion.allCases.map { probability(self[$0]) / $0.share }.min() ?? 1
        return min(1, max(leastChance, smallest))
    }
}
