internal import Glibc

/// Logarithms, which Swift takes from the C library.
public enum Logarithm {
    /// To base two. The corresponding C function is `log2`.
    public static func base2(_ value: Double) -> Double { log2(value) }
    /// To base e. The corresponding C function is `log`.
    public static func natural(_ value: Double) -> Double { log(value) }
}
