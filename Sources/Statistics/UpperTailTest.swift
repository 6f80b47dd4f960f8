internal import LinuxSystem

/// The exact test of two samples' slowest part: how many of the largest values of both are the new sample's.
///
/// If both are of one population, that count is hypergeometric. What counts as the slowest part depends on the number of
/// values alone: the third of both samples together, the quarter from 20 values a side, the tenth from 60.
public struct UpperTailTest: Equatable, Sendable {
    private let old: [Double]
    private let new: [Double]
    /// The share of values that are the slowest part.
    public let share: Double

    /// The test of two samples of at least two finite values; nil otherwise.
    public init?(old: [Double], new: [Double]) {
        let fewest = min(old.count, new.count)
        guard fewest >= 2, (old + new).allSatisfy(\.isFinite) else { return nil }
        self.old = old
        self.new = new
        share = Self.share(ofValues: fewest)
    }

    /// The share of values that are the slowest part of samples of a size.
    public static func share(ofValues count: Int) -> Double {
        count < 20 ? 1.0 / 3 : count < 60 ? 0.25 : 0.1
    }

    /// The difference of the samples' quantiles at the slowest part's beginning.
    public var estimate: Double {
        Quantile.of(new, at: 1 - share) - Quantile.of(old, at: 1 - share)
    }

    /// The probability of so many new values in the slowest part, or more, if the samples are apart by at most this.
    public func probability(atMost shift: Double) -> Double {
        let split = split(shift)
        return Hypergeometric.atLeast(
            split.ofNew, drawn: split.size, good: new.count, all: old.count + new.count)
    }

    /// The probability of so few new values in the slowest part, or fewer, if the samples are apart by at least this.
    public func probability(atLeast shift: Double) -> Double {
        let split = split(shift)
        return Hypergeometric.atLeast(
            split.size - split.ofNew, drawn: split.size, good: old.count, all: old.count + new.count)
    }

    /// The slowest part when the new sample is moved back: its size, and how much of it is the new sample's.
    ///
    /// Equal values are not torn apart: the part ends above or below them, whichever is nearer to its share.
    private func split(_ shift: Double) -> (size: Int, ofNew: Int) {
        let moved = new.map { $0 - shift }
        let all = (old + moved).sorted()
        let wanted = Int((share * Double(all.count)).rounded())
        let threshold = all[all.count - wanted]
        let above = all.count { $0 > threshold }
        let with = all.count { $0 >= threshold }
        let takesTied = above == 0 || with < all.count && with - wanted <= wanted - above
        let isIn: (Double) -> Bool = takesTied ? { $0 >= threshold } : { $0 > threshold }
        return (takesTied ? with : above, moved.count(where: isIn))
    }
}

/// Quantiles of samples.
public enum Quantile {
    /// The quantile of a sample, interpolated between its ordered values (Hyndman and Fan's seventh definition); not a number
    /// for no value.
    public static func of(_ values: [Double], at share: Double) -> Double {
        guard !values.isEmpty else { return .nan }
        let sorted = values.sorted()
        let place = share * Double(sorted.count - 1)
        let below = Int(place.rounded(.down))
        guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
        let part = place - Double(below)
        return sorted[below] + part * (sorted[below + 1] - sorted[below])
    }
}

/// The hypergeometric distribution.
enum Hypergeometric {
    /// The probability of at least so many good ones among those drawn.
    static func atLeast(_ least: Int, drawn: Int, good: Int, all: Int) -> Double {
        let most = min(drawn, good)
        guard least <= most else { return 0 }
        let fewest = max(0, drawn - (all - good))
        guard least > fewest else { return 1 }
        let whole = logarithmOfChoices(drawn, of: all)
        let sum = (least...most).reversed().reduce(0.0) { sum, count in
            sum
                + Mathematics.exponential(
                    logarithmOfChoices(count, of: good) + logarithmOfChoices(drawn - count, of: all - good)
                        - whole)
        }
        return min(1, sum)
    }

    private static func logarithmOfChoices(_ chosen: Int, of all: Int) -> Double {
        Mathematics.logarithmOfGamma(Double(all + 1)) - Mathematics.logarithmOfGamma(Double(chosen + 1))
            - Mathematics.logarithmOfGamma(Double(all - chosen + 1))
    }
}
