import Measurement
import StackProfile
import TestSupport
import Testing

@Suite("Folded stacks")
struct FoldedStacksTests {
    private func read(_ text: String, depth: Int = 4096) throws -> FoldedStacks.Outcome {
        var limits = FoldedStacks.Limits()
        limits.depth = depth
        return try FoldedStacks.read(Array(text.utf8), limits: limits)
    }

    private func written(_ profile: StackProfile, _ detail: FoldedStacks.FrameDetail = .function) -> String {
        String(decoding: FoldedStacks.write(profile, detail: detail), as: UTF8.self)
    }

    @Test("Text is read and written back sorted, with equal stacks added")
    func roundTrip() throws {
        let outcome = try read("main;b 2\nmain;a 1\r\n\n# a comment\nmain;b 3\nmain 4")
        #expect(written(outcome.profile) == "main 4\nmain;a 1\nmain;b 5\n")
        #expect(outcome.report.lines == 6)
        #expect(outcome.report.samples == 4)
        #expect(outcome.report.comments == 1)
        #expect(outcome.report.badLines == 0)
    }

    @Test("Many stacks of many long names, in no order, are those that a dictionary of lines holds")
    func largeUnsorted() throws {
        var random = SeededGenerator(seed: 12)
        // Names of 1 to 250 bytes with long common beginnings, 380 KB together.
        let names = (0..<3000).map { String(repeating: "long_", count: $0 % 50) + "\($0)" }
        var sums: [String: Int] = [:]
        var text = ""
        for _ in 0..<2500 {
            let stack = (0..<Int.random(in: 1...6, using: &random)).map { depth in
                names[Int.random(in: 0..<(depth < 2 ? 20 : 3000), using: &random)]
            }
            let weight = Int.random(in: 1...9, using: &random)
            sums[stack.joined(separator: ";"), default: 0] += weight
            text += stack.joined(separator: Bool.random(using: &random) ? ";" : ";;") + " \(weight)\n"
        }
        let expected = sums.map { "\($0.key) \($0.value)" }.sorted {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
        let lines = written(try read(text).profile).split(separator: "\n").map(String.init)
        #expect(lines.count == expected.count)
        #expect(lines.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } == expected)
    }

    @Test("Writing and reading random profiles loses nothing, in any order of lines")
    func randomRoundTrip() throws {
        var random = SeededGenerator(seed: 11)
        let names = [
            "main", "a", "ab", "abc", "std::vector<int, x>::at(int)", "[unknown]", "naïve", "日本語", "# x",
        ]
        for _ in 0..<300 {
            var builder = StackProfileBuilder()
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let stack = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                    Frame(names.randomElement(using: &random) ?? "")
                }
                try builder.add(stack, weight: .random(in: 1...1000, using: &random))
            }
            let text = written(builder.build())
            let again = try read(text).profile
            #expect(written(again) == text)
            let shuffled = text.split(separator: "\n").shuffled(using: &random).joined(separator: "\n")
            #expect(written(try read(shuffled).profile) == text)
        }
    }

    @Test("py-spy's places, perf's unknown functions and the truncation mark are understood")
    func dialects() throws {
        let text =
            "run (app.py:12);<module> (lib/x.py:3) 7\ncomm;[libc.so.6];[unknown];0x7f12ab;[truncated];f_[k] 2\n"
        let profile = try read(text).profile
        #expect(
            profile.frames(of: profile.samples[0])
                == [Frame("run", file: "app.py", line: 12), Frame("<module>", file: "lib/x.py", line: 3)])
        let perf = profile.frames(of: profile.samples[1])
        #expect(perf.map(\.isUnknown) == [false, true, true, true, false, false])
        #expect(perf[1].module == "libc.so.6")
        #expect(perf[2].module == nil)
        #expect(perf[4] == .truncationMarker)
        #expect(perf[5].function == "f_[k]")
        #expect(
            written(profile, .functionAndLine).split(separator: "\n").sorted().joined(separator: "\n") + "\n"
                == text.split(separator: "\n").sorted().joined(separator: "\n") + "\n")
        #expect(written(profile).contains("run;<module> 7\n"))
    }

    @Test(
        "Names with parentheses that are no places stay as they are",
        arguments: [
            "f (x)", "f (:1)", "f (a:0)", "f (a:1x)", " (a:1)", "(a:1)", "operator() (unsigned long)",
            "f (a:12345678901)",
        ])
    func noPlaces(name: String) throws {
        let profile = try read("main;\(name) 1").profile
        #expect(profile.frames(of: profile.samples[0]).last?.line == nil)
    }

    @Test("Hostile names cannot break a line")
    func hostileNames() throws {
        var builder = StackProfileBuilder()
        try builder.add([Frame("a;b"), Frame("c\nd\re\u{0}f\u{85}"), Frame("  "), Frame("x ")], weight: 1)
        try builder.add([Frame("# no comment")], weight: 2)
        try builder.add([], weight: 3)
        let text = written(builder.build())
        #expect(text == "#_ no comment 2\n[no stack] 3\na:b;cdef;[unknown];x 1\n")
        #expect(try read(text).report.samples == 3)
    }

    @Test("Bad lines are counted and reported with their number and reason")
    func badLines() throws {
        let outcome = try read(
            "main\nmain x\n 5\nmain 1\nmain -1\nmain 99999999999999999999\nmain 1.\na 2.75\nm 1e3")
        #expect(outcome.report.badLines == 6)
        #expect(outcome.report.samples == 3)
        #expect(outcome.report.fractionalWeights == 1)
        // Fractions count: 1 + 1. + 2.75, in hundredths.
        #expect(outcome.report.scaleDigits == 2)
        #expect(outcome.profile.totalWeight == 475)
        #expect(
            outcome.report.examples.map(\.reason)
                == [.noWeight, .noWeight, .noStack, .noWeight, .weightTooLarge, .noWeight])
        #expect(
            outcome.report.examples[1].description
                == "Line 2 was left out because it does not end with a space and a whole number: 'main x'.")
    }

    @Test("Lengths, depths and totals are bounded")
    func bounds() throws {
        var limits = FoldedStacks.Limits()
        limits.bytes = 4
        #expect(throws: FoldedStacks.ReadError.tooLong(bytes: 5, limit: 4)) {
            try FoldedStacks.read(Array("a;b 1".utf8), limits: limits)
        }
        #expect(
            FoldedStacks.ReadError.tooLong(bytes: 5, limit: 4).description
                == "The folded stacks are 5 bytes long, more than the 4 that are read.")
        limits.bytes = 1000
        limits.lineBytes = 6
        let long = try FoldedStacks.read(Array("a;b;c;d 1\na;b 1\n".utf8), limits: limits)
        #expect(long.report.examples.map(\.reason) == [.tooLong])
        let deep = try read("a;b;c;d 1\na;b;c 2\na;b;c;e 3", depth: 3)
        #expect(written(deep.profile) == "a;b;c 2\na;b;c;[truncated] 4\n")
        #expect(deep.report.cutStacks == 2)
        let full = try read("a 9007199254740991\nb 1")
        #expect(full.report.examples.map(\.reason) == [.weightTooLarge])
    }

    @Test("200,000 mutated lines: nothing crashes, and whatever is read can be written and read again")
    func fuzz() throws {
        var random = SeededGenerator(seed: 2026)
        let seed = Array(
            "main;std::foo(int) (a.cc:3);[libc.so.6];naïve 12\n# note\na;;b 3.5\n[truncated];x 7\n".utf8)
        let interesting: [UInt8] = [0, 9, 10, 13, 32, 35, 46, 48, 57, 59, 0x5B, 0x80, 0xC0, 0xF5, 0xFF]
        for _ in 0..<2000 {
            var bytes: [UInt8] = []
            for _ in 0..<25 {
                var piece = seed
                for _ in 0..<Int.random(in: 0...12, using: &random) {
                    let place = Int.random(in: 0..<piece.count, using: &random)
                    switch UInt8.random(in: 0...3, using: &random) {
                    case 0: piece[place] = .random(in: 0...255, using: &random)
                    case 1: piece[place] = interesting.randomElement(using: &random) ?? 0
                    case 2: piece.remove(at: place)
                    default: piece.insert(interesting.randomElement(using: &random) ?? 0, at: place)
                    }
                }
                bytes += piece
            }
            let outcome = try FoldedStacks.read(bytes)
            let report = outcome.report
            #expect(report.samples + report.badLines + report.comments <= report.lines)
            let text = FoldedStacks.write(outcome.profile, detail: .functionAndLine)
            let again = try FoldedStacks.read(text)
            #expect(again.report.badLines == 0)
            #expect(again.profile.totalWeight == outcome.profile.totalWeight)
            let isStable = FoldedStacks.write(again.profile, detail: .functionAndLine) == text
            #expect(isStable)
        }
    }
}
