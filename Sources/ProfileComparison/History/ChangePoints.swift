internal import Measurement

/// Places in a series where its level changes for good.
///
/// Binary segmentation by a permutation test: of all places the one that parts the ranks of the values most is taken,
/// and kept when fewer than 5 % of random orders of the same values have a place that parts them as much; then both
/// sides are searched again. Whatever the noise looks like, a series without a change is given one in at most 5 % of
/// cases, because then all orders are equally likely. Ranks make a single wild value count as one. Random numbers begin
/// with a fixed seed, so the same series always gives the same answer.
///
/// A level that lasts for a single value is not seen, and a series must have ``fewestValues`` values.
public enum ChangePoints {
    /// The chance of a change in a series that has none.
    public static let falseAlarmRate = 0.05
    /// Shorter series are not searched.
    public static let fewestValues = 10
    /// Levels last at least as long.
    static let shortestLevel = 2
    private static let permutations = 399

    /// The indices at which a new level begins, in order.
    public static func indices(in values: [Double]) -> [Int] {
        guard values.count >= fewestValues, values.allSatisfy(\.isFinite) else { return [] }
        var random = SplitMix(state: 0x6A09_E667_F3BC_C908)
        var found: [Int] = []
        var waiting = [values.indices]
        while let part = waiting.popLast() {
            // Fewer than six values cannot come out of a test with 5 %.
            guard part.count >= 6, let split = split(Array(values[part]), &random) else { continue }
            let at = part.lowerBound + split
            found.append(at)
            waiting += [part.lowerBound..<at, at..<part.upperBound]
        }
        return refined(found.sorted(), values)
    }

    /// Each place once more where it parts the values best between its neighbours: the first cut of a series of several
    /// levels is made before the others are known.
    private static func refined(_ found: [Int], _ values: [Double]) -> [Int] {
        var places = found
        for index in places.indices {
            let start = index > 0 ? places[index - 1] : 0
            let end = index + 1 < places.count ? places[index + 1] : values.count
            places[index] = start + best(ranks(of: Array(values[start..<end]))).index
        }
        return places
    }

    private static func split(_ values: [Double], _ random: inout SplitMix) -> Int? {
        var ranks = ranks(of: values)
        let observed = best(ranks)
        guard observed.statistic > 0 else { return nil }
        var atLeast = 0
        // As soon as too many orders reach it, the answer is known.
        let limit = Int(falseAlarmRate * Double(permutations + 1)) - 1
        for _ in 0..<permutations {
            for index in stride(from: ranks.count - 1, to: 0, by: -1) {
                ranks.swapAt(index, Int(random.next() % UInt64(index + 1)))
            }
            if best(ranks).statistic >= observed.statistic - 1e-9 {
                atLeast += 1
                if atLeast > limit { return nil }
            }
        }
        return observed.index
    }

    /// The place that parts the ranks most: the sum of squares between both sides, by its number of values.
    private static func best(_ ranks: [Double]) -> (index: Int, statistic: Double) {
        let count = Double(ranks.count)
        let mean = (count + 1) / 2
        var sum = 0.0
        var best = (index: 0, statistic: 0.0)
        for index in 1..<ranks.count {
            sum += ranks[index - 1] - mean
            guard index >= shortestLevel, ranks.count - index >= shortestLevel else { continue }
            let left = Double(index)
            let statistic = sum * sum * count / (left * (count - left))
            if statistic > best.statistic + 1e-9 { best = (index, statistic) }
        }
        return best
    }

    /// Ranks from 1, equal values sharing the mean of theirs.
    private static func ranks(of values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
            start = end
        }
        return ranks
    }
}

/// Random numbers that are the same in every run: SplitMix64.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
