internal import LinuxSystem

/// Student's t distribution.
public struct StudentT: Sendable {
    /// The degrees of freedom, above zero; they need not be whole.
    public let degreesOfFreedom: Double

    /// The distribution for degrees of freedom; nil unless they are above zero and finite.
    public init?(degreesOfFreedom: Double) {
        guard degreesOfFreedom > 0, degreesOfFreedom.isFinite else { return nil }
        self.degreesOfFreedom = degreesOfFreedom
    }

    /// The probability of at most a value.
    public func cumulative(_ value: Double) -> Double {
        value > 0 ? 1 - upperTail(value) : upperTail(-value)
    }

    /// The probability of more than a value.
    public func upperTail(_ value: Double) -> Double {
        guard value >= 0 else { return 1 - upperTail(-value) }
        guard value.isFinite else { return 0 }
        let square = value * value
        // Whichever of both arguments is not near 1, where digits would be lost.
        if square < degreesOfFreedom {
            let inside = IncompleteBeta.regularized(
                square / (degreesOfFreedom + square), 0.5, degreesOfFreedom / 2)
            return (1 - inside) / 2
        }
        return IncompleteBeta.regularized(
            degreesOfFreedom / (degreesOfFreedom + square), degreesOfFreedom / 2, 0.5) / 2
    }

    /// The value that is exceeded with a probability, which is between 0 and 1.
    public func quantile(upperTail probability: Double) -> Double {
        guard probability > 0 else { return .infinity }
        guard probability < 1 else { return -.infinity }
        guard probability <= 0.5 else { return -quantile(upperTail: 1 - probability) }
        return Self.quantiles.value(
            of: Quantile(degreesOfFreedom: degreesOfFreedom, upperTail: probability)
        ) { searched(probability) }
    }

    private struct Quantile: Hashable, Sendable {
        var degreesOfFreedom, upperTail: Double
    }

    private static let quantiles = KnownValues<Quantile>(most: 10_000)

    private func searched(_ probability: Double) -> Double {
        var low = 0.0
        var high = 1.0
        while upperTail(high) > probability && high < 1e300 { (low, high) = (high, high * 2) }
        while true {
            let middle = (low + high) / 2
            guard middle > low, middle < high else { return middle }
            if upperTail(middle) > probability { low = middle } else { high = middle }
        }
    }
}

/// The regularized incomplete beta function.
enum IncompleteBeta {
    /// The function at a point from 0 to 1, by the continued fraction 8.17.22 of the Digital Library of Mathematical Functions.
    static func regularized(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        // The fraction converges fast below this point; above it the function's mirror image does.
        if x > (a + 1) / (a + b + 2) { return 1 - regularized(1 - x, b, a) }
        let logarithmOfBeta =
            Mathematics.logarithmOfGamma(a) + Mathematics.logarithmOfGamma(b)
            - Mathematics.logarithmOfGamma(a + b)
        let front = Mathematics.exponential(
            a * Logarithm.natural(x) + b * Mathematics.logarithmOfOnePlus(-x) - logarithmOfBeta)
        return front / a * fraction(x, a, b)
    }

    /// The continued fraction, evaluated forwards by Lentz's method.
    private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        func apart(_ value: Double) -> Double { value.magnitude < 1e-300 ? 1e-300 : value }
        var c = 1.0
        var d = 1 / apart(1 - (a + b) * x / (a + 1))
        var result = d
        for step in 1...10_000 {
            let m = Double(step)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            d = 1 / apart(1 + even * d)
            c = apart(1 + even / c)
            result *= d * c
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 / apart(1 + odd * d)
            c = apart(1 + odd / c)
            result *= d * c
            if (d * c - 1).magnitude < 1e-16 { break }
        }
        return result
    }
}
