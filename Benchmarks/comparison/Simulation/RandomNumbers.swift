internal import LinuxSystem

/// Random numbers that are the same for the same seed: SplitMix64.
public struct RandomNumbers: RandomNumberGenerator {
    private var state: UInt64

    /// A generator of a seed.
    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    /// A number of the standard normal distribution, by Box and Muller.
    public mutating func normal() -> Double {
        let radius = (-2 * Logarithm.natural(Double.random(in: 1e-300..<1, using: &self))).squareRoot()
        return radius * Mathematics.cosine(2 * Double.pi * Double.random(in: 0..<1, using: &self))
    }
}
