/// The version of a Python interpreter.
public struct PythonVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var major: Int
    public var minor: Int
    public var micro: Int
    /// Whether it is a release: before one, structures still change under the same number.
    public var isFinal: Bool

    /// A release by its numbers.
    public init(_ major: Int, _ minor: Int, _ micro: Int = 0, isFinal: Bool = true) {
        self.major = major
        self.minor = minor
        self.micro = micro
        self.isFinal = isFinal
    }

    /// A version as the interpreter states it (`PY_VERSION_HEX`): major, minor and micro, a byte each, then level and
    /// serial, 4 bits each; the level of a release is 15.
    public init(hexadecimal: UInt32) {
        self.init(
            Int(hexadecimal >> 24), Int(hexadecimal >> 16 & 0xFF), Int(hexadecimal >> 8 & 0xFF),
            isFinal: hexadecimal >> 4 & 0xF == 0xF)
    }

    /// `3.11.2`
    public var description: String { "\(major).\(minor).\(micro)" + (isFinal ? "" : " (no release)") }

    public static func < (left: PythonVersion, right: PythonVersion) -> Bool {
        (left.major, left.minor, left.micro) < (right.major, right.minor, right.micro)
    }
}
