internal import LinuxSystem

/// Bytes changed at random, for readers that have to survive anything.
public enum Mutation {
    /// How many inputs a test of this kind tries: `FUZZ_INPUTS` in the environment, or few enough for every run.
    public static let inputs = CurrentProcess.environmentVariable("FUZZ_INPUTS").flatMap { Int($0) } ?? 3000

    /// Numbers and words at the edge of what a reader may expect.
    private static let tellingWords = [
        "0", "-1", "1e999", "-1e308", "4294967296", "9223372036854775807", "-9223372036854775808",
        "18446744073709551616", "9007199254740993", "nan", "inf", "null", "[[[[", "{{{{", "\u{0}",
        "\u{1B}[2J", "\u{2028}",
        "\u{E0041}", "e\u{301}", "../..", "~", "- - -", ": : :", "&a *a", "\"", "\n\n",
    ]
    /// The same in binary.
    private static let tellingNumbers: [UInt64] = [
        0, 1, 7, 0xFF, 0x7FFF, 0xFFFF, 1 << 20, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 32, 1 << 47,
        .max >> 1, 1 << 63, .max - 7, .max,
    ]

    /// A copy of a sample with some changes: bits flipped, bytes replaced by telling ones, telling numbers and words put in,
    /// parts cut, doubled, or taken from another sample.
    public static func of(
        _ samples: [[UInt8]], changes: ClosedRange<Int> = 1...8, using random: inout SeededGenerator
    ) -> [UInt8] {
        var bytes = samples.randomElement(using: &random) ?? []
        let telling: [UInt8] = [0, 1, 0x09, 0x0A, 0x0D, 0x20, 0x23, 0x30, 0x39, 0x3B, 0x7F, 0x80, 0xFE, 0xFF]
        for _ in 0..<Int.random(in: changes, using: &random) {
            guard let index = bytes.indices.randomElement(using: &random) else { break }
            let end = min(bytes.count, index + Int.random(in: 1...32, using: &random))
            switch Int.random(in: 0..<9, using: &random) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[index] = telling.randomElement(using: &random) ?? 0
            case 2: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 3: bytes.removeSubrange(index..<end)
            case 4: bytes.insert(contentsOf: bytes[index..<end], at: index)
            case 5: bytes.removeSubrange(index...)
            case 6:
                let word = tellingWords.randomElement(using: &random) ?? ""
                // In place of a number, if one is there.
                let digits = bytes[index...].prefix { (0x2D...0x39).contains($0) }
                bytes.replaceSubrange(digits.indices, with: word.utf8)
            case 7:
                let number = tellingNumbers.randomElement(using: &random) ?? 0
                let width = [2, 4, 8].randomElement(using: &random) ?? 8
                for place in 0..<width where index + place < bytes.count {
                    bytes[index + place] = UInt8(truncatingIfNeeded: number >> UInt64(8 * place))
                }
            default:
                let other = samples.randomElement(using: &random) ?? []
                let start = other.indices.randomElement(using: &random) ?? 0
                bytes.insert(contentsOf: other[start..<min(other.count, start + end - index)], at: index)
            }
        }
        return bytes
    }
}
