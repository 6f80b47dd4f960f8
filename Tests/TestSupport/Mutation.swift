internal import LinuxSystem

/// Bytes changed at random, for readers that have to survive anything.
public enum Mutation {
    /// How many inputs a test of this kind tries: `FUZZ_INPUTS` in the environment, or few enough for every run.
    public static let inputs = CurrentProcess.environmentVariable("FUZZ_INPUTS").flatMap { Int($0) } ?? 3000

    /// A copy of a sample with some changes: bits flipped, bytes replaced by telling ones, parts cut, doubled, or taken from
    /// another sample.
    public static func of(
        _ samples: [[UInt8]], changes: ClosedRange<Int> = 1...8, using random: inout SeededGenerator
    ) -> [UInt8] {
        var bytes = samples.randomElement(using: &random) ?? []
        let telling: [UInt8] = [0, 1, 0x09, 0x0A, 0x0D, 0x20, 0x23, 0x30, 0x39, 0x3B, 0x7F, 0x80, 0xFE, 0xFF]
        for _ in 0..<Int.random(in: changes, using: &random) {
            guard let index = bytes.indices.randomElement(using: &random) else { break }
            let end = min(bytes.count, index + Int.random(in: 1...32, using: &random))
            switch Int.random(in: 0..<7, using: &random) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[index] = telling.randomElement(using: &random) ?? 0
            case 2: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 3: bytes.removeSubrange(index..<end)
            case 4: bytes.insert(contentsOf: bytes[index..<end], at: index)
            case 5: bytes.removeSubrange(index...)
            default:
                let other = samples.randomElement(using: &random) ?? []
                let start = other.indices.randomElement(using: &random) ?? 0
                bytes.insert(contentsOf: other[start..<min(other.count, start + end - index)], at: index)
            }
        }
        return bytes
    }
}
