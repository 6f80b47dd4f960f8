import FrozenProfile
import Measurement
import ProfileComparison
import Testing

@Suite("Runs made in turn")
struct ExperimentTests {
    @Test("A plan has each pair in an order that follows from the seed, after one pair that warms up")
    func plan() {
        let plan = InterleavedPlan(pairs: 40, seed: 7)
        #expect(plan == InterleavedPlan(pairs: 40, seed: 7))
        #expect(plan.steps.count == 82 && plan.steps.filter(\.isWarmUp).count == 2)
        for pair in 0...40 {
            #expect(Set(plan.steps.filter { $0.pair == pair }.map(\.command)) == [.a, .b])
        }
        let firsts = stride(from: 2, to: 82, by: 2).count { plan.steps[$0].command == .a }
        #expect((8...32).contains(firsts))
        #expect(plan.order() != InterleavedPlan(pairs: 40, seed: 8).order())
        #expect(plan.order().split(separator: " ").count == 40)
    }

    @Test("A plan that grows is the same plan with more pairs, looked at three times for one error rate")
    func growingPlan() throws {
        let grows = InterleavedPlan(pairs: 12, seed: 7, grows: true)
        #expect(grows.pairs == 30 && grows.looks.map(\.pairs) == [12, 20, 30])
        #expect((grows.looks.reduce(0) { $0 + $1.share } - 1).magnitude < 1e-12)
        let fixed = InterleavedPlan(pairs: 12, seed: 7)
        #expect(fixed.looks.map(\.pairs) == [12] && fixed.looks.map(\.share) == [1])
        #expect(grows.order(of: 12) == fixed.order())
        #expect(InterleavedPlan(pairs: 8, seed: 7, grows: true).looks.map(\.pairs) == [8, 14, 20])

        let comparison = Comparison(
            interleaved: try runs(Self.base), with: try runs(Self.base.map { 1.1 * $0 }), plan: grows,
            look: grows.looks[0], settings: ComparisonSettings())
        #expect(comparison.isDecided && (comparison.settings.errorRate - 0.02).magnitude < 1e-12)
        #expect(
            ComparisonText(comparison).render().replacing("\n  ", with: " ").contains(
                "12 of up to 30 pairs of runs, each in random order (seed 7), after one that does not count. Looked at "
                    + "after 12, 20 and 30, each time with a part of the error rate: 5 % in all."))
        #expect(comparison.json.contains("\"error_rate\": 0.02"))
        #expect(comparison.json.contains("\"pairs\": 12, \"looks\": [12, 20, 30], \"seed\": \"7\""))
    }

    /// A session of runs that take so many times as long.
    private func runs(_ factors: [Double]) throws -> FrozenProfile { try Versions().profile("v", [factors]) }

    private static let base = (0..<12).map { 1 + 0.002 * Double($0 * 5 % 12) }

    @Test(
        "Pairs on nodes of different speed: 3 % is seen that hides in the nodes' differences, and equal commands are equal"
    )
    func nodes() throws {
        // Four nodes, of which one takes 1.6 times as long, with three pairs each.
        let speeds = [1.0, 1.6, 0.9, 1.1]
        func side(_ factor: Double, _ turn: Int) throws -> FrozenProfile {
            var sessions: [[Double]] = []
            for (node, speed) in speeds.enumerated() {
                sessions.append(
                    (0..<3).map { run in
                        let noise: Int = (run * 5 + node * 3 + turn) % 7
                        return speed * factor * (1 + 0.002 * Double(noise))
                    })
            }
            return try Versions().profile("v", sessions)
        }
        let slower = Comparison(interleaved: try side(1, 0), with: try side(1.1, 2))
        #expect(slower.outcome == .verdict(.regressed), "\(slower.outcome)")
        let wall = try #require(slower.rows.first { $0.stage == nil && $0.metric == .wall })
        #expect(wall.pairedProbability.map { $0 < 0.01 } ?? false)
        let same = Comparison(interleaved: try side(1, 0), with: try side(1, 2))
        #expect(same.outcome == .verdict(.unchanged), "\(same.outcome)")
    }

    @Test("Plans of several machines are one, with each machine's order")
    func joinedPlan() {
        let plans = (1...3).map { InterleavedPlan(pairs: 4, seed: UInt64($0)) }
        let joined = InterleavedPlan(joining: plans, seed: 9)
        #expect(joined.pairs == 12 && joined.looks.map(\.pairs) == [12] && joined.seed == 9)
        #expect(joined.order() == plans.map { $0.order() }.joined(separator: " "))
        #expect(joined.steps.filter(\.isWarmUp).count == 2 && joined.steps.map(\.pair).max() == 12)
    }

    @Test("12 pairs show a change of 10 %; 7 pairs are inconclusive")
    func verdicts() throws {
        let a = try runs(Self.base)
        let slower = Comparison(interleaved: a, with: try runs(Self.base.map { 1.1 * $0 }))
        #expect(slower.outcome == .verdict(.regressed))
        let same = Comparison(interleaved: a, with: try runs(Self.base.reversed()))
        #expect(same.outcome == .verdict(.unchanged))
        let few = Comparison(
            interleaved: try runs(Array(Self.base.prefix(7))),
            with: try runs(Self.base.prefix(7).map { 2 * $0 }))
        #expect(few.outcome == .verdict(.inconclusive))
        #expect(few.rows[0].reason == "Fewer than 8 runs a side are no evidence.")
        let wide = Comparison(
            interleaved: try runs(Self.base.map { $0 * $0 * $0 * $0 }),
            with: try runs(Self.base.map { 1.04 * $0 * $0 * $0 * $0 }))
        #expect(wide.outcome == .verdict(.inconclusive))
        #expect(try #require(wide.rows[0].remedy?.runsPerSide) > 12)
    }

    @Test("Drift of the machine is distinguished from a change of the code")
    func remeasurement() throws {
        let older = try Versions().profile("v1", Versions.steady)
        let newer = try Versions().profile("v2", Versions.steady.map { $0.map { 1.2 * $0 } })
        // Run side by side, both are 20 % slower than the old one was.
        let now = Comparison(
            interleaved: try runs(Self.base.map { 1.2 * $0 }), with: try runs(Self.base.map { 1.2 * $0 }))
        let wall = try #require(Remeasurement(from: older, to: newer, now: now).lines.first)
        #expect((try #require(wall.frozenPercent) - 20).magnitude < 0.5)
        #expect(try #require(wall.codePercent).magnitude < 0.5)
        #expect((try #require(wall.driftSinceOldPercent) - 21).magnitude < 1)
        #expect(try #require(wall.driftSinceNewPercent).magnitude < 2)
    }

    @Test("Sessions of one version compared with each other show how often a gate is wrong")
    func falseAlarms() throws {
        let sessions = [1, 1.08, 0.95, 1.03].map { level in Versions.steady[0].map { $0 * level } }
        let profile = try Versions().profile("v1", sessions)
        let rules = try RegressionRules(
            Array("thresholds: {wall_time_s: {max_delta_pct: 2}}".utf8), file: "rules.yaml")
        let found = FalseAlarms(profile, settings: ComparisonSettings(budgets: BudgetPolicy(rules: rules)))
        #expect(found.splits == 6 && found.regressed == 0)
        // Of the twelve ordered pairs half are slower, all by more than 2 %.
        #expect(found.pairs == 12 && found.beyondRules == 6)
        // 0.95 to 1, to 1.03 and to 1.08, and 1 to 1.08: more than 5 %; 1.03 to 1.08 is less.
        #expect(found.beyondFivePercent == 4)
    }
}
