internal import LinuxSystem

/// Percentages of an old value, and differences of logarithms.
public enum Percent {
    /// The change in percent that a difference of natural logarithms is; a bound that does not exist stays infinite.
    public static func ofLogarithm(_ difference: Double) -> Double {
        guard difference.isFinite else { return difference }
        return 100 * Mathematics.exponentialMinusOne(difference)
    }

    /// The difference of natural logarithms that a change in percent is.
    public static func logarithm(ofPercent percent: Double) -> Double {
        Mathematics.logarithmOfOnePlus(percent / 100)
    }
}
