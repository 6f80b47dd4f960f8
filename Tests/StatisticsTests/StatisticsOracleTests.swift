import LinuxSystem
import Statistics
import TestSupport
import Testing

@Suite("Statistics equal SciPy's and brute force")
struct StatisticsOracleTests {
    private static let alternatives: [(MannWhitney.Alternative, String)] = [
        (.less, "less"), (.greater, "greater"), (.twoSided, "two-sided"),
    ]

    /// Values of a kind: continuous, few distinct ones, constant, or pages of memory.
    private func sample(_ count: Int, _ random: inout SeededGenerator, kind: Int) -> [Double] {
        (0..<count).map { _ in
            switch kind {
            case 0: Double.random(in: -1...1, using: &random)
            case 1: Double(Int.random(in: 0...3, using: &random))
            case 2: 7.25
            default: 100 + Double(Int.random(in: 0...9, using: &random)) / 256
            }
        }
    }

    private func json(_ values: [Double]) -> String {
        "[" + values.map { "\($0)" }.joined(separator: ", ") + "]"
    }

    @Test("Mann-Whitney, exact with ties and approximate, over thousands of random samples")
    func mannWhitney() throws {
        var random = SeededGenerator(seed: 1)
        var questions = Questions()
        func ask(_ name: String, sizes: ClosedRange<Int>, kind: Int, _ method: String? = nil) throws {
            let x = sample(Int.random(in: sizes, using: &random), &random, kind: kind)
            let y = sample(Int.random(in: sizes, using: &random), &random, kind: kind)
            let (alternative, word) = try #require(Self.alternatives.randomElement(using: &random))
            let outcome = try #require(MannWhitney.test(x, y, alternative: alternative))
            questions.ask(
                name, [json(x), json(y), "\"\(word)\""] + (method.map { ["\"\($0)\""] } ?? []),
                ours: method == nil ? [outcome.probability] : [outcome.statistic, outcome.probability])
        }
        for index in 0..<2400 { try ask("brute", sizes: 1...6, kind: index % 4) }
        for _ in 0..<600 { try ask("scipy", sizes: 1...24, kind: 0, "exact") }
        for index in 0..<60 { try ask("permutation", sizes: 2...5, kind: index % 4) }
        for index in 0..<60 { try ask("scipy", sizes: 51...80, kind: [0, 1, 3][index % 3], "asymptotic") }
        let (sentences, answers) = try questions.disagreements()
        #expect(sentences.isEmpty, "\(sentences)")
        #expect(answers == 3120)
    }

    @Test("Hodges-Lehmann and the interval of Moses, to the bit where differences are equal")
    func shift() throws {
        var random = SeededGenerator(seed: 2)
        var questions = Questions()
        for index in 0..<1500 {
            let x = sample(Int.random(in: 1...14, using: &random), &random, kind: index % 4)
            let y = sample(Int.random(in: 1...14, using: &random), &random, kind: index % 4)
            let tail = try #require([0.025, 0.05, 0.05 / 3, 0.025 / 8].randomElement(using: &random))
            let estimate = try #require(ShiftEstimate(from: x, to: y))
            let interval = estimate.interval(tail: tail)
            questions.ask(
                "shift", [json(x), json(y), "\(tail)"],
                ours: [
                    estimate.hodgesLehmann, interval.lower.isFinite ? interval.lower : nil,
                    interval.upper.isFinite ? interval.upper : nil,
                ])
        }
        let (sentences, answers) = try questions.disagreements()
        #expect(sentences.isEmpty, "\(sentences)")
        #expect(answers == 1500)
    }

    @Test("The t distribution, its quantiles, and the test of session means")
    func studentT() throws {
        var random = SeededGenerator(seed: 3)
        var questions = Questions()
        for index in 0..<1500 {
            let degrees =
                index % 3 == 0 ? Double.random(in: 0.5...400, using: &random) : Double(1 + index % 60)
            let distribution = try #require(StudentT(degreesOfFreedom: degrees))
            let value = Double.random(in: -12...12, using: &random)
            questions.ask("t-tail", ["\(value)", "\(degrees)"], ours: [distribution.upperTail(value)])
            // From one in a million to all but one in a hundred.
            let tail =
                try #require([1e-6, 1e-4, 0.001, 0.01, 0.05].randomElement(using: &random))
                * Double.random(in: 1...19.8, using: &random)
            questions.ask(
                "t-quantile", ["\(tail)", "\(degrees)"], ours: [distribution.quantile(upperTail: tail)])
        }
        for _ in 0..<300 {
            let old = sample(Int.random(in: 2...6, using: &random), &random, kind: 0)
            let new = sample(Int.random(in: 1...6, using: &random), &random, kind: 0)
            let test = try SessionTest(old: old + [0.1], new: new, ledger: nil)
            let margin = Double.random(in: -0.2...0.2, using: &random)
            let interval = test.interval(tail: 0.05)
            questions.ask(
                "sessions", [json(old + [0.1]), json(new), "\(margin)"],
                ours: [
                    test.probability(atMost: margin), test.probability(atLeast: margin), interval.lower,
                    interval.upper,
                ])
        }
        let (sentences, answers) = try questions.disagreements()
        #expect(sentences.isEmpty, "\(sentences)")
        #expect(answers == 3300)
    }

    @Test("The test of few runs with a least variance, and the smallest probability that ranks can have")
    func fewRuns() throws {
        var random = SeededGenerator(seed: 5)
        var questions = Questions()
        for index in 0..<600 {
            let first = sample(Int.random(in: 1...5, using: &random), &random, kind: index % 2 * 3)
            let second = sample(Int.random(in: 2...5, using: &random), &random, kind: index % 2 * 3)
            let least = try #require([1e-9, 0.05, 0.3, 2].randomElement(using: &random))
            let test = try #require(FewRunsTest(first, second, leastVariance: least))
            questions.ask(
                "few-runs", [json(first), json(second), "\(least)"], ours: [test.probability, test.halfWidth])
        }
        for _ in 0..<200 {
            let tail = Double.random(in: 1e-9...0.999, using: &random)
            questions.ask("normal", ["\(tail)"], ours: [NormalDistribution.quantile(upperTail: tail)])
        }
        for first in 1...9 {
            for second in 1...9 {
                let least = MannWhitney.leastProbability(first, second)
                questions.ask("least", ["\(first)", "\(second)"], ours: [least])
                // It is what the test finds of samples that do not overlap.
                let (low, high) = ((0..<first).map(Double.init), (0..<second).map { 100 + Double($0) })
                #expect(MannWhitney.test(low, high, alternative: .twoSided)?.probability == least)
            }
        }
        let (sentences, answers) = try questions.disagreements()
        #expect(sentences.isEmpty, "\(sentences)")
        #expect(answers == 881)
        // Values that are equal to the last digit decide nothing by that.
        #expect(
            FewRunsTest([1, 1, 1], [1.1, 1.1, 1.1], leastVariance: 0.01).map { $0.probability > 0.2 } == true)
        #expect(FewRunsTest([1], [2], leastVariance: 1) == nil)
        #expect(FewRunsTest([1, .infinity], [2], leastVariance: 1) == nil)
    }

    @Test("Holm, Benjamini-Hochberg and the signed-rank test, with equal probabilities and equal differences")
    func corrections() throws {
        var random = SeededGenerator(seed: 4)
        var questions = Questions()
        for index in 0..<1000 {
            let count = Int.random(in: 1...40, using: &random)
            let probabilities = (0..<count).map { _ in
                index.isMultiple(of: 2)
                    ? Double.random(in: 0...1, using: &random) * Double.random(in: 0...0.2, using: &random)
                    : Double(Int.random(in: 0...5, using: &random)) / 20
            }
            questions.ask("holm", [json(probabilities)], ours: MultipleTesting.holm(probabilities))
            questions.ask("bh", [json(probabilities)], ours: MultipleTesting.benjaminiHochberg(probabilities))
        }
        for index in 0..<400 {
            let differences = sample(Int.random(in: 1...9, using: &random), &random, kind: index % 2)
                .map { index.isMultiple(of: 2) ? $0 : $0 - 1 }
            questions.ask(
                "signed", [json(differences)], ours: [SignedRank.probabilityOfIncrease(differences)])
        }
        for _ in 0..<100 {
            let differences = sample(Int.random(in: 10...30, using: &random), &random, kind: 0)
            questions.ask(
                "wilcoxon", [json(differences)], ours: [SignedRank.probabilityOfIncrease(differences)])
        }
        let (sentences, answers) = try questions.disagreements()
        #expect(sentences.isEmpty, "\(sentences)")
        #expect(answers == 2500)
    }
}
