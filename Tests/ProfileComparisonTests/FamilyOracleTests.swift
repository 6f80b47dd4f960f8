import FrozenProfile
import ProfileComparison
import Statistics
import TestSupport
import Testing

/// Every number of a family of rows, computed again with SciPy from the method's description.
@Suite("Verdicts equal an independent computation")
struct FamilyOracleTests {
    private func values(
        _ sessions: Int, _ runs: Int, level: Double, scatter: Double, of session: Double,
        _ random: inout SeededGenerator
    ) -> [[Double]] {
        (0..<sessions).map { _ in
            let own = 1 + session * Double.random(in: -1...1, using: &random)
            return (0..<runs).map { _ in
                level * own * (1 + scatter * Double.random(in: -1...1, using: &random))
            }
        }
    }

    private static func json(_ values: [[Double]]) -> String {
        "[" + values.map { "[" + $0.map { "\($0)" }.joined(separator: ", ") + "]" }.joined(separator: ", ")
            + "]"
    }

    private static let metrics:
        [(metric: Metric, level: Double, budget: Double, floor: Double, least: Double)] = [
            (.wall, 10, 3, 0.005, 0.0025), (.cpu, 0.09, 3, 0.005, 0.0025), (.peakResident, 500, 2, 1, 0.001),
        ]

    @Test("Sessions and pairs: verdicts, bounds and probabilities of 120 families to 1e-9")
    func families() throws {
        var random = SeededGenerator(seed: 16)
        var questions = Questions()
        var verdicts: Set<Double> = []
        for index in 0..<120 {
            let isSessions = index % 3 != 0
            let sizes = (0..<2).map { _ in isSessions ? Int.random(in: 2...6, using: &random) : 1 }
            let pairs = Int.random(in: 8...14, using: &random)
            let runs = isSessions ? Int.random(in: 2...8, using: &random) : pairs
            let change = try #require([0.7, 0.96, 1, 1.02, 1.1, 1.5].randomElement(using: &random))
            let scatter = try #require([0.001, 0.004, 0.03].randomElement(using: &random))
            let sides = sizes.enumerated().map { side, sessions in
                Self.metrics.map {
                    values(
                        sessions, runs, level: $0.level * (side == 1 ? change : 1), scatter: scatter,
                        of: isSessions ? scatter : 0, &random)
                }
            }
            let profiles = sides.map {
                MeasuredValues.profile("v", wall: $0[0], cpu: $0[1], peak: $0[2])
            }
            let settings = ComparisonSettings(allowances: [ComparabilityKey.invalidSession.rawValue])
            let comparison =
                isSessions
                ? Comparison(from: profiles[0], to: profiles[1], settings: settings)
                : Comparison(interleaved: profiles[0], with: profiles[1], settings: settings)
            let ours = try Self.metrics.flatMap { try numbers(comparison, $0.metric) }
            for index in stride(from: 0, to: ours.count, by: 9) { verdicts.insert(try #require(ours[index])) }
            let rows = Self.metrics.enumerated().map { place, metric in
                "{\"old\": \(Self.json(sides[0][place])), \"new\": \(Self.json(sides[1][place])), "
                    + "\"budget\": \(metric.budget), \"floor\": \(metric.floor), \"least\": \(metric.least)}"
            }
            questions.ask(
                "family",
                [
                    "\"\(isSessions ? "sessions" : "pairs")\"", "[" + rows.joined(separator: ", ") + "]",
                    "0.05",
                ],
                ours: ours)
        }
        let (sentences, answers) = try questions.disagreements()
        #expect(sentences.isEmpty, "\(sentences)")
        #expect(answers == 120)
        // The families were not all of one kind.
        #expect(verdicts == [0, 1, 2, 3])
    }

    private func numbers(_ comparison: Comparison, _ metric: Metric) throws -> [Double?] {
        let row = try #require(comparison.rows.first { $0.stage == nil && $0.metric == metric })
        let change = try #require(row.change)
        let words: [Verdict: Double] = [.regressed: 0, .improved: 1, .unchanged: 2, .inconclusive: 3]
        let mean = try #require(row.parts[.mean])
        let slowest = try #require(row.parts[.slowest])
        func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
        return [
            words[try #require(row.verdict)], change.estimate, finite(change.interval.lower),
            finite(change.interval.upper), row.regressionProbability, mean.regressionProbability,
            mean.withinProbability, slowest.regressionProbability, slowest.withinProbability,
        ]
    }

    @Test("The chance that sessions fall apart by kind")
    func kinds() throws {
        var questions = Questions()
        for old in 1...12 {
            for new in 1...12 {
                questions.ask("kinds", ["\(old)", "\(new)"], ours: [SessionKinds.chance(old: old, new: new)])
            }
        }
        let (sentences, _) = try questions.disagreements()
        #expect(sentences.isEmpty, "\(sentences)")
        // Other sessions help, but a lone session may be the odd one however many they are.
        let known = SessionKinds.Background(groups: 1, sessions: 10)
        #expect(SessionKinds.chance(old: 2, new: 2, background: known) < 0.0167)
        #expect(SessionKinds.chance(old: 1, new: 1, background: known) > 0.0167)
    }
}
