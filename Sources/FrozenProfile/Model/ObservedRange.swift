internal import Measurement

/// A state of the machine over the time of a run: what it was at either end, and the extremes of all that was seen.
///
/// Extremes and not a mean: looks come ever more rarely, so their mean would be that of the run's beginning, while the
/// least memory and the lowest frequency that anybody saw are what they are.
public struct ObservedRange: Equatable, Sendable {
    public var before: Double
    public var after: Double
    public var lowest: Double
    public var highest: Double

    /// A range.
    public init(before: Double, after: Double, lowest: Double, highest: Double) {
        self.before = before
        self.after = after
        self.lowest = lowest
        self.highest = highest
    }

    /// By how much the highest is above what it was before.
    public var rise: Double { highest - before }
}

extension ObservedKey {
    /// States that the kernel reports for the moment alone: of what it counts, ``RunEnvironment`` has the growth.
    public static let states: [ObservedKey] = [.load, .memoryAvailable, .swapUsed, .frequency]

    /// The ranges of the states that were asked for, from looks before, during and after a run.
    static func ranges(
        before: ObservedEnvironment, during: [ObservedEnvironment], after: ObservedEnvironment
    ) -> [ObservedKey: Reading<ObservedRange>] {
        var ranges: [ObservedKey: Reading<ObservedRange>] = [:]
        for key in states {
            guard let first = before.values[key], let last = after.values[key] else { continue }
            ranges[key] = first.flatMap { first in
                last.map { last in
                    let all = during.compactMap { $0.values[key]?.value } + [first, last]
                    return ObservedRange(
                        before: first, after: last, lowest: all.min() ?? first, highest: all.max() ?? first)
                }
            }
        }
        return ranges
    }
}
