import Blame
import LinuxSystem
import Testing

@Suite("Blame: the search by halves")
struct SegmentSearchTests {
    /// Searches a line of values, and returns the changed parts with how many places were measured.
    private func search(_ values: [Int?]) -> (changed: [ClosedRange<Int>], measured: Int, skipped: Set<Int>) {
        let last = values.count - 1
        var search = SegmentSearch<Int>(from: values[0] ?? 0, to: values[last] ?? 0, count: last) {
            Double(abs($1 - $0))
        }
        var measured = 2
        while let place = search.next {
            measured += 1
            search.record(place, values[place].map { .value($0) } ?? .skipped("broken"))
            if measured > 1000 { break }
        }
        return (
            search.segments.filter(\.isChanged).map { $0.from + 1...$0.to }, measured,
            Set(search.skipped.keys)
        )
    }

    @Test("One step among n commits is found with at most log2(n) + 2 measurements, wherever it is")
    func oneStep() {
        for count in 1...70 {
            let most = 2 + (0..<20).first { 1 << $0 >= count }!
            for step in 1...count {
                let found = search((0...count).map { $0 < step ? 10 : 12 })
                #expect(found.changed == [step...step])
                #expect(found.measured <= most, "\(count) commits, step at \(step): \(found.measured)")
            }
        }
    }

    @Test("Several steps are all found, up and down")
    func severalSteps() {
        for first in 1...31 {
            for second in first + 1...32 {
                let found = search((0...32).map { $0 < first ? 10 : $0 < second ? 12 : 17 })
                #expect(found.changed == [first...first, second...second])
            }
        }
        #expect(search([5, 5, 9, 9, 9, 4, 4]).changed == [2...2, 5...5])
        // What cancels out between two measured places is not seen.
        #expect(search([5, 9, 9, 5]).changed.isEmpty)
    }

    @Test("A step beside commits that cannot be measured is one of them; others are found in spite of them")
    func skipping() {
        let values: [Int?] = [1, 1, 1, nil, nil, 7, 7, 7]
        let found = search(values)
        #expect(found.changed == [3...5])
        #expect(found.skipped == [3, 4])
        #expect(search([1, nil, nil, nil, 1, 1, 7]).changed == [6...6])
        #expect(search([1, nil, nil, nil, nil, 7]).changed == [1...5])
    }
}

@Suite("Blame: the posterior of steps in time")
struct StepPosteriorTests {
    /// SplitMix64 with a normal distribution by the sum of twelve.
    private struct Noise {
        var state: UInt64
        mutating func uniform() -> Double {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
            return Double((value ^ value >> 31) >> 11) / Double(1 << 53)
        }
        mutating func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + uniform() } }
    }

    /// Searches levels with noise; the steps found, and how many observations and places it took.
    private func search(
        _ levels: [Double], noise: Double, seed: UInt64
    ) -> (steps: [Int], observations: Int, places: Int) {
        let last = levels.count - 1
        var posterior = StepPosterior(count: last, change: levels[last], scale: noise)
        var random = Noise(state: seed)
        var built: Set<Int> = [0, last]
        for number in 0..<400 {
            let marginals = posterior.marginals
            if posterior.mostProbable.allSatisfy({ marginals[$0] >= 0.95 }) {
                return (posterior.mostProbable, number, built.count)
            }
            guard let place = posterior.next(built: built, skipped: []) else { break }
            built.insert(place)
            // One in twenty is disturbed.
            let disturbance = random.uniform() < 0.05 ? 5 * noise : 0
            posterior.observe(levels[place] + noise * random.normal() + disturbance, at: place)
        }
        return ([], 400, built.count)
    }

    @Test("Before anything is observed, each of one step's places is as probable as any other")
    func prior() {
        let posterior = StepPosterior(count: 2, change: 1, scale: 1)
        // By hand: one step at 1 or 2 with 1/4 each, or both with 1/2.
        #expect(abs(posterior.marginals[1] - 0.75) < 1e-12)
        #expect(abs(posterior.marginals[2] - 0.75) < 1e-12)
        #expect(posterior.marginals[0] == 0)
        // The level of place 1: 1 with 1/4, 0 with 1/4, and 1/4, 1/2, 3/4 with 1/6 each.
        let mean = 0.25 + (0.25 + 0.5 + 0.75) / 6
        let square = 0.25 + (0.0625 + 0.25 + 0.5625) / 6
        #expect(abs(posterior.disagreement[1] - (square - mean * mean)) < 1e-12)
        #expect(posterior.disagreement[2] < 1e-12)
    }

    @Test("An observation weighs the hypotheses as Student's density does")
    func likelihood() {
        var posterior = StepPosterior(count: 1, change: 1, scale: 1)
        posterior.observe(3, at: 1)
        #expect(abs(posterior.marginals[1] - 1) < 1e-12)
        var two = StepPosterior(count: 2, change: 2, scale: 0.5)
        two.observe(2, at: 1)
        func weight(_ level: Double) -> Double {
            let z = (2 - 2 * level) / 0.5
            let base = 1 + z * z / 4
            return 1 / (base * base * base.squareRoot())
        }
        let parts = [0.25 * weight(1), 0.25 * weight(0)] + [0.25, 0.5, 0.75].map { weight($0) / 6 }
        let both = parts.dropFirst(2).reduce(0, +)
        #expect(abs(two.marginals[2] - (parts[1] + both) / (parts[0] + parts[1] + both)) < 1e-12)
    }

    @Test("A step three times the noise is named, and the named one is the right one in 19 of 20")
    func oneStep() {
        var right = 0
        var wrong = 0
        for seed in 0..<60 as Range<UInt64> {
            let step = 1 + Int(seed) * 7 % 32
            let found = search((0...32).map { $0 < step ? 0 : 0.3 }, noise: 0.1, seed: seed)
            if found.steps == [step] { right += 1 } else if !found.steps.isEmpty { wrong += 1 }
        }
        #expect(wrong <= 3, "\(wrong) wrong of 60")
        #expect(right >= 50, "\(right) right of 60")
    }

    @Test("Two steps are both named")
    func twoSteps() {
        var right = 0
        for seed in 0..<20 as Range<UInt64> {
            let found = search((0...16).map { $0 < 4 ? 0 : $0 < 11 ? 0.3 : 0.6 }, noise: 0.08, seed: seed)
            if found.steps == [4, 11] { right += 1 }
        }
        #expect(right >= 17, "\(right) of 20")
    }
}

@Suite("Blame: the line of commits")
struct CommitLineTests {
    @Test("A straight line, from old to new")
    func straight() {
        let line = CommitLine(listing: "d c\nc b\nb a\n", from: "a", to: "d")
        #expect(line?.names == ["a", "b", "c", "d"])
    }

    @Test("A merge is one step along its first parent; where only the second leads back, along that")
    func merges() {
        // a - b - m - d, with x from a merged into m.
        let listing = "d m\nm b x\nb a\nx a\n"
        #expect(CommitLine(listing: listing, from: "a", to: "d")?.names == ["a", "b", "m", "d"])
        // From x, only the second parent leads back: --ancestry-path leaves b out.
        #expect(CommitLine(listing: "d m\nm b x\n", from: "x", to: "d")?.names == ["x", "m", "d"])
    }

    @Test("No line, or a text in a circle, gives none")
    func none() {
        #expect(CommitLine(listing: "", from: "a", to: "b") == nil)
        #expect(CommitLine(listing: "b c\nc b\n", from: "a", to: "b") == nil)
        #expect(CommitLine(listing: "b\n", from: "a", to: "b") == nil)
    }
}
