import Testing

@testable import StackProfile

@Suite("Hashes of names in folded text")
struct NameHashTests {
    private let semicolon = UInt8(ascii: ";")

    @Test("A name ends where it ends, and has one hash wherever it stands", arguments: 0...40)
    func places(length: Int) {
        let name = (0..<length).map { UInt8(ascii: "a") + UInt8($0 % 26) }
        // Alone, at the end of the buffer, in the middle, before something else than its end.
        let text = name + [semicolon] + name + [semicolon] + Array("x;".utf8) + name
        text.withUnsafeBytes { buffer in
            let hasher = SliceHasher(buffer, endingAt: semicolon)
            let first = hasher.next(from: 0, to: buffer.count)
            #expect(first.end == length)
            for (start, limit) in [
                (0, length), (length + 1, buffer.count), (length + 1, 2 * length + 1),
                (2 * length + 4, buffer.count),
            ] {
                let other = hasher.next(from: start, to: limit)
                #expect(other.end == start + length)
                #expect(other.hash == first.hash)
            }
        }
    }

    @Test("Names that differ in a byte or in their length have different hashes")
    func differences() {
        let names: [[UInt8]] =
            (0...20).map { [UInt8](repeating: 0, count: $0) }
            + (0...20).map { [UInt8](repeating: 0, count: $0) + [1] }
            + (0...20).map { [1] + [UInt8](repeating: 0, count: $0 + 1) }
        let text = Array(names.joined(separator: [semicolon]))
        var hashes: Set<UInt64> = []
        text.withUnsafeBytes { buffer in
            let hasher = SliceHasher(buffer, endingAt: semicolon)
            var start = 0
            while start <= buffer.count {
                let (end, hash) = hasher.next(from: start, to: buffer.count)
                hashes.insert(hash)
                start = end + 1
            }
        }
        #expect(hashes.count == names.count)
    }

    @Test("Names that are read as the same frame make one stack, in whatever bytes they were written")
    func sameFrame() throws {
        let text =
            Array("a;".utf8) + [0xFF] + Array(";b 1\na;\u{FFFD};b 2\na;".utf8) + [0xFE] + Array(";b 4".utf8)
        let profile = try FoldedStacks.read(text).profile
        #expect(profile.samples.map(\.weight) == [7])
        #expect(profile.stacks.count == 4)
    }
}
