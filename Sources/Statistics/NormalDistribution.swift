internal import LinuxSystem

/// The standard normal distribution.
public enum NormalDistribution {
    /// The probability of a larger value.
    public static func upperTail(_ value: Double) -> Double {
        Mathematics.complementaryError(value * 0.5.squareRoot()) / 2
    }

    /// The value that is exceeded with a probability, which is between 0 and 1.
    public static func quantile(upperTail probability: Double) -> Double {
        guard probability > 0 else { return .infinity }
        guard probability < 1 else { return -.infinity }
        // Beyond these no double differs from 0 or 1.
        var (low, high) = (-40.0, 40.0)
        while true {
            let middle = (low + high) / 2
            guard middle > low, middle < high else { return middle }
            if upperTail(middle) > probability { low = middle } else { high = middle }
        }
    }
}
