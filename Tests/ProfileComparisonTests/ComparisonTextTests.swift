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

    @Test("What stands out comes first and is marked, the rest has a line each, and all rows on request")
    func standing() throws {
        let comparison = Comparison(
            from: try Versions().profile("v1", [Versions.steady[0]]),
            to: try Versions().profile("v2", [Versions.steady[0]], slower: ["transcription": 1.25]))
        let text = ComparisonText(comparison).render()
        let lines = text.split(separator: "\n").map(String.init)
        #expect(text.hasPrefix("Inconclusive: transcription got 25 % slower"))
        let stage = try #require(lines.firstIndex(of: "transcription"))
        let other = try #require(lines.firstIndex { $0.hasPrefix("  rss_feed_fetch ") })
        #expect(stage < other, "the pipeline's order is the other one")
        #expect(lines[stage + 1].hasPrefix("! wall s") && lines[stage + 3].hasPrefix("  RSS MB"))
        let all = ComparisonText(comparison, showsAllRows: true).render()
        #expect(all.contains("\nrss_feed_fetch\n  wall s") && !all.contains("--all-rows"))
    }

    @Test("An undecided comparison ends in commands that would decide it, each complete")
    func nextSteps() throws {
        var comparison = Comparison(
            from: try Versions().profile("v1", [Versions.steady[0]]),
            to: try Versions().profile("v 2", [Versions.steady[0]]))
        comparison.from.command = ["./old", "{output_dir}"]
        comparison.to.command = ["sh", "-c", "echo 'new'"]
        comparison.to.file = "else where/v 2.yaml"
        let steps = FootNotes(comparison).nextSteps
        #expect(steps.count == 5)
        #expect(
            steps.contains {
                $0.hasPrefix("freeze-profile capture --append --version v1 --runs 1 ")
                    && $0.contains(" --count-runs 2 -- ./old {output_dir}  # on both sides")
            }, "\(steps)")
        let quoted =
            "--version 'v 2' --output 'else where/v 2.yaml' --runs 5 -- sh -c 'echo '\\''new'\\'''  # 2 times, "
        #expect(steps.contains { $0.hasPrefix("freeze-profile capture --append \(quoted)") }, "\(steps)")
        #expect(steps.contains { $0.hasPrefix("freeze-profile ab --pairs 20 --a './old {output_dir}' --b ") })
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
