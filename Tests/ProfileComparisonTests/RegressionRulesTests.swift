import FrozenProfile
import Measurement
import ProfileComparison
import Testing

@Suite("Rules files")
struct RegressionRulesTests {
    private func rules(_ text: String) throws -> RegressionRules {
        try RegressionRules(Array(text.utf8), file: "rules.yaml")
    }

    @Test("A stage's own threshold goes before the general one")
    func lookup() throws {
        let rules = try rules(
            """
            thresholds:
              wall_time_s: {max_delta_pct: 10}
              peak_rss_mb: {max_delta_pct: 15.5}
            stages:
              transcription:
                wall_time_s: {max_delta_pct: 5}
            """)
        #expect(rules.rule(of: .wall, in: nil)?.maximumDeltaPercent == 10)
        #expect(rules.rule(of: .wall, in: .transcription)?.key == "stages.transcription.wall_time_s")
        #expect(rules.rule(of: .peakResident, in: .transcription)?.maximumDeltaPercent == 15.5)
        #expect(rules.rule(of: .cpu, in: nil) == nil)
        #expect(rules.stages(notAmong: [.summarization]) == [.transcription])
        #expect(try self.rules("{}").rule(of: .wall, in: nil) == nil)
    }

    @Test(
        "What is not understood is refused with its place",
        arguments: [
            ("threshold: {}", "the document has no key 'threshold'; perhaps thresholds is meant."),
            (
                "thresholds: {wall_time: {max_delta_pct: 1}}",
                "thresholds has no key 'wall_time'; perhaps wall_time_s is meant."
            ),
            (
                "stages: {t: {wall_time_s: {max_pct: 1}}}",
                "stages.t.wall_time_s has no key 'max_pct', only max_delta_pct."
            ),
            (
                "thresholds: {wall_time_s: {max_delta_pct: ten}}",
                "thresholds.wall_time_s.max_delta_pct is the string 'ten', but should be a number of percent from 0 to 10000."
            ),
            (
                "thresholds: {wall_time_s: {max_delta_pct: -1}}",
                "thresholds.wall_time_s.max_delta_pct is -1.0, but should be a number of percent from 0 to 10000."
            ),
            (
                "thresholds: {wall_time_s: 5}",
                "thresholds.wall_time_s is a whole number, but should be a mapping."
            ),
            ("- a", "the document is a list, but should be a mapping."),
        ])
    func refused(text: String, sentence: String) {
        #expect(throws: RegressionRules.Refusal(description: "'rules.yaml': \(sentence) Correct it.")) {
            try rules(text)
        }
    }

    @Test("What is no YAML is refused with its line")
    func notYAML() throws {
        let refusal = #expect(throws: RegressionRules.Refusal.self) { try rules("a: [") }
        #expect(refusal?.description.hasPrefix("'rules.yaml' is not a rules file. Line ") == true)
    }
}
