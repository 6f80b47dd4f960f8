import FrozenProfile
import Measurement
import ProfileComparison
import TestSupport
import Testing

@Suite("A comparison on a terminal")
struct ComparisonTextTests {
    @Test("It looks as the golden ones")
    func golden() throws {
        var older = Versions()
        older.stages.append(.init(name: "gone", wall: 0.002, cpu: 0.001, peak: 80))
        var newer = Versions()
        newer.stages.append(.init(name: "summarization", wall: 3, cpu: 1, peak: 90))
        let rules = """
            thresholds: {wall_time_s: {max_delta_pct: 10}}
            stages: {transcription: {cpu_time_s: {max_delta_pct: 5}}, transcripton: {wall_time_s: {max_delta_pct: 1}}}
            """
        let settings = ComparisonSettings(
            budgets: BudgetPolicy(
                commandLine: [BudgetPolicy.Target(stage: .transcription, metric: .peakResident): 0.5],
                rules: try RegressionRules(Array(rules.utf8), file: "rules.yaml")))
        let regressed = Comparison(
            from: try older.profile("v1.1.0", Versions.steady),
            to: try newer.profile(
                "v1.2.0", date: "2026-03-01T08:00:00Z", Versions.noisy, slower: ["transcription": 1.25]),
            settings: settings)
        let single = Comparison(
            from: try older.profile("v1.1.0", [Versions.steady[0]]),
            to: try newer.profile("v1.2.0", [Versions.noisy[0]]), settings: settings)
        for (comparison, name) in [(regressed, "comparison.txt"), (single, "comparison-single-sessions.txt")]
        {
            let text = ComparisonText(comparison).render()
            let difference = GoldenFile.difference(between: Array(text.utf8), and: name)
            #expect(difference == nil)
            for line in text.split(separator: "\n") where !line.hasPrefix("  freeze-profile ") {
                #expect(line.count <= 80, "\(line)")
            }
        }
    }

    @Test("No line is wider than the terminal, and no control character comes through, whatever the names")
    func widths() throws {
        var versions = Versions()
        versions.stages = [
            .init(name: String(repeating: "stage", count: 13), wall: 1e9, cpu: 1e9, peak: 1e12)
        ]
        let older = try versions.profile(String(repeating: "v", count: 128), Versions.noisy)
        versions.stages[0].wall = 1
        let newer = try versions.profile("v\u{1B}[31m", Versions.noisy)
        for width in [20, 80, 200] {
            let text = ComparisonText(Comparison(from: older, to: newer), width: width).render()
            for line in text.split(separator: "\n") where !line.hasPrefix("  freeze-profile ") {
                #expect(line.count <= max(width, 80), "\(line)")
            }
            #expect(!text.contains("\u{1B}"))
        }
    }

    @Test("Colour is added to words, not put in their place")
    func color() throws {
        let comparison = Comparison(
            from: try Versions().profile("v1", Versions.steady),
            to: try Versions().profile("v2", Versions.steady, slower: ["transcription": 1.12]))
        let painted = ComparisonText(comparison) { text, emphasis in "<\(emphasis)>\(text)</>" }.render()
        #expect(painted.contains("<bad>REGRESSED</>"))
        #expect(ComparisonText(comparison).render().contains("REGRESSED"))
    }
}
