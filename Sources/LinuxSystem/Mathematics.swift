internal import Glibc

/// Functions of real numbers that Swift takes from the C library, beside those of ``Logarithm``.
public enum Mathematics {
    /// The number whose natural logarithm is the value. The corresponding C function is `exp`.
    public static func exponential(_ value: Double) -> Double { exp(value) }
    /// The natural logarithm.
    public static func logarithm(_ value: Double) -> Double { log(value) }
    /// The exponential less one, exact near zero. The corresponding C function is `expm1`.
    public static func exponentialMinusOne(_ value: Double) -> Double { expm1(value) }
    /// The natural logarithm of one and the value, exact near zero. The corresponding C function is `log1p`.
    public static func logarithmOfOnePlus(_ value: Double) -> Double { log1p(value) }
    /// The complementary error function. The corresponding C function is `erfc`.
    public static func complementaryError(_ value: Double) -> Double { erfc(value) }
    /// The natural logarithm of the gamma function's magnitude. The corresponding C function is `lgamma_r`, which,
    /// unlike `lgamma`, writes to no global variable.
    public static func logarithmOfGamma(_ value: Double) -> Double {
        var sign: Int32 = 0
        return lgamma_r(value, &sign)
    }
    /// A cosine of an angle in radians. The corresponding C function is `cos`.
    public static func cosine(_ angle: Double) -> Double { cos(angle) }
}
