internal import FrozenProfile
internal import LinuxSystem
internal import Measurement

/// What makes a session no fair measurement: rules fixed beforehand, so that nobody leaves out what does not please.
enum SessionValidity {
    /// Why a session must not count, as phrases; empty for a fair one.
    static func problems(of session: Session) -> [String] {
        let walls = session.runs.filter(\.counts).compactMap { $0.use.wallSeconds.value }
        var problems: [String] = []
        if let first = walls.first, isFar(first, from: Array(walls.dropFirst())) {
            problems.append("its first run is far from the others, as if it had not been warmed up")
        }
        if let probability = trendProbability(walls), probability < 0.01 {
            problems.append("its runs get steadily slower or faster")
        }
        return problems
    }

    /// Whether a value's modified z-score among others exceeds 10; never for fewer than four others.
    static func isFar(_ value: Double, from others: [Double]) -> Bool {
        guard others.count >= 4, let middle = FrozenProfile.median(others),
            let deviation = FrozenProfile.median(others.map { ($0 - middle).magnitude })
        else { return false }
        // Values that hardly differ make any other one look far: a thousandth is never far.
        return (value - middle).magnitude > 10 * 1.4826 * max(deviation, 0.001 * middle)
    }

    /// The probability of so clear a trend in values of equal distribution, by the sign test of Cox and Stuart; nil for too few
    /// values.
    ///
    /// It pairs each value of the first half with the one half the series later.
    static func trendProbability(_ values: [Double]) -> Double? {
        let half = values.count / 2
        let differences = zip(values.prefix(half), values.suffix(half)).map { $1 - $0 }.filter { $0 != 0 }
        guard !differences.isEmpty else { return nil }
        let rising = differences.count { $0 > 0 }
        let extreme = max(rising, differences.count - rising)
        return min(1, 2 * tail(successes: extreme, of: differences.count))
    }

    /// The probability of at least so many heads when a fair coin is thrown.
    private static func tail(successes: Int, of throwsMade: Int) -> Double {
        var probability = 0.0
        for count in successes...throwsMade {
            let logarithm =
                Mathematics.logarithmOfGamma(Double(throwsMade + 1)) - Mathematics.logarithmOfGamma(Double(count + 1))
                - Mathematics.logarithmOfGamma(Double(throwsMade - count + 1))
                - Double(throwsMade) * Logarithm.natural(2)
            probability += Mathematics.exponential(logarithm)
        }
        return probability
    }
}
