import LinuxProcess
import LinuxSystem
import Symbolication
import Testing

@Suite("Corrupt files")
struct CorruptFileTests {
    /// Symbolizes damaged copies of a file; how many could still be opened, how many were refused.
    ///
    /// Three kinds of damage in turn: single bytes anywhere, runs of equal bytes, and bytes in the last tenth,
    /// where the section headers are. Every eighth copy is cut short as well.
    static func damage(_ original: [UInt8], rounds: Int, seed: UInt64) -> (opened: Int, refused: Int) {
        var random = SplitMix(seed: seed)
        var result = (opened: 0, refused: 0)
        let addresses = (0..<40).map { ImageAddress(0x1000 + 31 * $0) }
        for round in 0..<rounds {
            var bytes = original
            for _ in 0..<1 + Int(random.next() % 24) {
                var index = Int(random.next() % UInt64(bytes.count))
                if round % 3 == 2 { index = bytes.count - 1 - index / 10 }
                let length = round % 3 == 1 ? Int(random.next() % 16) + 1 : 1
                let value = [0, 0xFF, 0x7F, 0x80, UInt8(truncatingIfNeeded: random.next())][
                    Int(random.next() % 5)]
                for position in index..<min(bytes.count, index + length) { bytes[position] = value }
            }
            if round % 8 == 7 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
            let image = ProgramImage(path: "/nowhere/damaged", buildID: nil, content: .memory(bytes))
            let named = SymbolizedImage(image, addresses, options: .init(lines: true, inlines: true))
            if named.failure == nil { result.opened += 1 } else { result.refused += 1 }
            precondition(named.addresses.count == addresses.count)
        }
        return result
    }

    @Test(
        "are named as far as they can be, or refused, and never end the program",
        .timeLimit(.minutes(5)), arguments: [["-g", "-O2"], ["-O2", "-s"], ["-g", "-O2", "-gz"]])
    func survive(options: [String]) async throws {
        let fixture = try Fixture()
        try fixture.run(["gcc"] + options + ["\(Fixture.sources)/work.c", "-o", "work"])
        let path = fixture.directory + "/work"
        for seed in UInt64(1)...4 {
            // In a child of its own: a crash in libdw would otherwise end the tests, not fail one.
            await #expect(processExitsWith: .success, "seed \(seed)") {
                [path = path as String, seed = seed as UInt64] in
                let original = try Files.read(path, limit: 16 << 20)
                let result = CorruptFileTests.damage(original, rounds: 400, seed: seed)
                try Files.replace("\(path).result-\(seed)", with: "\(result.opened) \(result.refused)")
            }
            let counts = String(
                decoding: try Files.read("\(path).result-\(seed)", limit: 100), as: UTF8.self
            ).split(separator: " ").compactMap { Int($0) }
            #expect(counts.count == 2 && counts.reduce(0, +) == 400)
            // The damage must leave some files readable, and make some unreadable, to test anything.
            #expect(counts.first ?? 0 > 40)
        }
    }
}
