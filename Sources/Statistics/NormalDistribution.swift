internal import LinuxSystem

/// The standard normal distribution.
public enum NormalDistribution {
    /// The probability of a larger value.
    public static func upperTail(_ value: Double) -> Double {
        Mathematics.complementaryError(value * 0.5.squareRoot()) / 2
    }
}
