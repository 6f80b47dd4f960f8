import FrozenProfile
import Measurement
import ProfileComparison
import ProfileSamples
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
                "stages.t.wall_time_s has no key 'max_pct', only max_delta_pct, severity."
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
            (
                "thresholds: {wall_time_s: {max_delta_pct: 1, severity: fatal}}",
                "thresholds.wall_time_s.severity is the string 'fatal', but should be warning or error."
            ),
            (
                "thresholds: {wall_time_s: {severity: error}}",
                "thresholds.wall_time_s has a severity but no max_delta_pct."
            ),
            ("- a", "the document is a list, but should be a mapping."),
        ])
    func refused(text: String, sentence: String) {
        #expect(throws: RegressionRules.Refusal(description: "'rules.yaml': \(sentence) Correct it.")) {
            try rules(text)
        }
    }

    /// The example of RFC-064, which the Python tools' documentation has.
    private static let documented = """
        # data/profiles/regression_rules.yaml
        # Optional — diff tool works without this file

        thresholds:
          peak_rss_mb:
            max_delta_pct: 20
            severity: warning

          wall_time_s:
            max_delta_pct: 15
            severity: warning

          avg_wall_time_per_episode_s:
            max_delta_pct: 15
            severity: warning

        stages:
          transcription:
            peak_rss_mb:
              max_delta_pct: 10
              severity: warning
          totals:
            avg_wall_time_per_episode_s: {max_delta_pct: 12}
            peak_rss_mb: {max_delta_pct: 5, severity: error}
        """

    @Test("The documented example of the Python tools is read: severities, time per episode, the whole run")
    func documentedExample() throws {
        let rules = try rules(Self.documented)
        #expect(rules.rule(of: .wall, in: nil)?.severity == .warning)
        #expect(rules.rule(of: .peakResident, in: .transcription)?.maximumDeltaPercent == 10)
        #expect(rules.rule(of: .peakResident, in: nil)?.key == "stages.totals.peak_rss_mb")
        #expect(rules.perEpisodeRule?.maximumDeltaPercent == 12)
        #expect(rules.stages(notAmong: []) == [.transcription])
    }

    @Test(
        "A warning is said and changes no verdict; an error is the verdict's budget",
        arguments: ["warning", "error"])
    func severities(severity: String) throws {
        let older = try Versions().profile("v1", Versions.threeSteady)
        let newer = try Versions().profile("v2", Versions.threeSteady)
        func wall(_ text: String) throws -> ComparisonRow {
            let settings = ComparisonSettings(budgets: BudgetPolicy(rules: try rules(text)))
            return try #require(
                Comparison(from: older, to: newer, settings: settings).rows.first {
                    $0.stage == nil && $0.metric == .wall
                })
        }
        let text = "thresholds: {wall_time_s: {max_delta_pct: 40, severity: \(severity)}}"
        let budget = try #require(try wall(text).budget)
        #expect(budget.percent == (severity == "error" ? 40 : BudgetPolicy.standardPercent(of: .wall)))
        // Without a threshold of the wall time, that of the time per episode is its budget.
        let episodes =
            "stages: {totals: {avg_wall_time_per_episode_s: {max_delta_pct: 40, severity: \(severity)}}}"
        #expect(try wall(episodes).budget?.percent == budget.percent)
    }

    @Test("Exceeded thresholds are said with their severity, the time per episode's too")
    func flags() throws {
        let text = Samples.older.replacing("git_dirty: true", with: "git_dirty: false")
        let older = try FrozenProfile.decode(Array(text.utf8), name: "a.yaml")
        // 55.9962 s grow to 70 s, by 25.0 %: computed by hand.
        let slower = text.replacing("episode_s: 55.9962", with: "episode_s: 70.0").replacing(
            "mb: 6924", with: "mb: 9000")
        let newer = try FrozenProfile.decode(Array(slower.utf8), name: "b.yaml")
        var settings = ComparisonSettings(budgets: BudgetPolicy(rules: try rules(Self.documented)))
        settings.gate = .stages
        let comparison = Comparison(from: older, to: newer, settings: settings)
        #expect(
            FootNotes(comparison).rules == [
                "whole run wall s: +25 % is more than the 12 % of stages.totals.avg_wall_time_per_episode_s (error).",
                "summarization RSS MB: +30 % is more than the 20 % of thresholds.peak_rss_mb (warning).",
            ])
    }

    @Test("What is no YAML is refused with its line")
    func notYAML() throws {
        let refusal = #expect(throws: RegressionRules.Refusal.self) { try rules("a: [") }
        #expect(refusal?.description.hasPrefix("'rules.yaml' is not a rules file. Line ") == true)
    }
}
