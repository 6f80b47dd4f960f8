import FrozenProfile
import FunctionAttribution
import LinuxSystem
import Measurement
import ProfileComparison
import Statistics
import TestSupport
import Testing

@Suite("Two frozen versions compared")
struct ComparisonTests {
    private func row(_ comparison: Comparison, _ stage: StageName?, _ metric: Metric) throws -> ComparisonRow
    {
        try #require(comparison.rows.first { $0.stage == stage && $0.metric == metric })
    }

    @Test("A stage that got 12 % slower is found, with its interval, and the other one is shown to be fine")
    func regression() throws {
        let versions = Versions()
        let comparison = Comparison(
            from: try versions.profile("v1", Versions.steady),
            to: try versions.profile("v2", Versions.steady, slower: ["transcription": 1.12]))
        #expect(comparison.outcome == .verdict(.regressed))
        let stage = try row(comparison, .transcription, .wall)
        let change = try #require(stage.change)
        #expect(stage.verdict == .regressed && (change.percent - 12).magnitude < 0.01)
        #expect(change.percentInterval.lower > 3 && change.percentInterval.upper < 15)
        #expect(try row(comparison, .rssFeedFetch, .wall).verdict == .unchanged)
        #expect(try row(comparison, .transcription, .peakResident).verdict == .unchanged)
        #expect(try row(comparison, nil, .averageCPU).verdict == nil)
        #expect(comparison.stages(with: .regressed) == [.transcription])
        #expect(comparison.headline.hasPrefix("Regressed: the run got 10 % slower ("))
        var explained = comparison
        explained.explanations[.transcription] = StageExplanation(
            clause: "ngram_search accounts for 71 % of it")
        #expect(explained.headline.hasSuffix("), ngram_search accounts for 71 % of it."))
    }

    @Test("The same difference the other way is an improvement, and none at all is fine")
    func improvement() throws {
        let versions = Versions()
        let older = try versions.profile("v1", Versions.steady, slower: ["transcription": 1.12])
        let newer = try versions.profile("v2", Versions.steady)
        let better = Comparison(from: older, to: newer)
        #expect(better.outcome == .verdict(.improved))
        #expect(better.headline.hasPrefix("Improved: the run got 9.3 % faster ("))
        let same = Comparison(from: newer, to: try versions.profile("v3", Versions.steady))
        #expect(same.outcome == .verdict(.unchanged))
        #expect(
            same.headline.hasPrefix(
                "Unchanged: nothing got worse by more than its budget (wall time at most +"))
    }

    @Test("Sessions that differ more than the versions leave it undecided, and say how many would do")
    func inconclusive() throws {
        let versions = Versions()
        let comparison = Comparison(
            from: try versions.profile("v1", Versions.noisy),
            to: try versions.profile("v2", Versions.noisy, slower: ["transcription": 1.04]))
        #expect(comparison.outcome == .verdict(.inconclusive))
        let remedy = try #require(try row(comparison, nil, .wall).remedy)
        #expect(try #require(remedy.sessionsPerSide) > 3)
        #expect(remedy.sentence.contains("bout \(try #require(remedy.sessionsPerSide)) sessions a side"))
    }

    @Test(
        "One session a side is never a verdict, however large the difference, unless a ledger knows the noise"
    )
    func singleSessions() throws {
        let versions = Versions()
        let older = try versions.profile("v1", [[1, 1.001, 0.999, 1.002, 0.998, 1.0]])
        let newer = try versions.profile("v2", [[2, 2.001, 1.999, 2.002, 1.998, 2.0]])
        let comparison = Comparison(from: older, to: newer)
        #expect(comparison.outcome == .verdict(.inconclusive))
        let wall = try row(comparison, nil, .wall)
        #expect(wall.change == nil && wall.deltaPercent == 100)
        // The runs' own interval is shown, for what it is worth.
        #expect(try #require(wall.withinSession).percentInterval.lower > 99)
        #expect(wall.reason == "One session a side cannot show how much sessions differ.")
        #expect(wall.remedy?.sessionsPerSide == 3)

        var settings = ComparisonSettings()
        var ledger = NoiseLedger(
            file: "ledger.yaml", machine: MachineClass(older.environment.identity), workload: Workload(older))
        ledger[nil, .wall] = NoiseLedger.Entry(
            sessions: VarianceEstimate(variance: 0.0001, degreesOfFreedom: 4), sessionCount: 5,
            runsPerSession: 10,
            firstDate: "2026-02-01", lastDate: "2026-02-02", proposedBudgetPercent: 4)
        settings.ledger = ledger
        #expect(
            try row(Comparison(from: older, to: newer, settings: settings), nil, .wall).reason
                == "How much sessions differ rests on 4 degrees of freedom; it takes 5.")
        ledger[nil, .wall]?.sessions.degreesOfFreedom = 5
        settings.ledger = ledger
        let lone = try row(Comparison(from: older, to: newer, settings: settings), nil, .wall)
        #expect(lone.verdict == .inconclusive)
        #expect(
            lone.reason == "1 against 1 sessions can fall apart by chance, if sessions come in two kinds.")
        // Thirty sessions of one kind make a lone one of another kind improbable.
        ledger[nil, .wall]?.sessions.degreesOfFreedom = 29
        ledger[nil, .wall]?.sessionCount = 30
        settings.ledger = ledger
        let known = try row(Comparison(from: older, to: newer, settings: settings), nil, .wall)
        #expect(known.verdict == .regressed)
        #expect(
            known.budget?.percent == 4
                && known.budget?.source == .calibration(file: "ledger.yaml", date: "2026-02-02"))
    }

    @Test("Stages on one side are listed; tiny stages and values of zero are no regressions")
    func stages() throws {
        var older = Versions()
        older.stages = [
            .init(name: "transcription", wall: 6, cpu: 5, peak: 512),
            .init(name: "gone", wall: 1, cpu: 1, peak: 10),
            .init(name: "tiny", wall: 0.001, cpu: 0, peak: 10),
        ]
        var newer = older
        newer.stages[1] = .init(name: "fresh", wall: 1, cpu: 1, peak: 10)
        newer.stages[2] = .init(name: "tiny", wall: 0.002, cpu: 0.001, peak: 10.5)
        let comparison = Comparison(
            from: try older.profile("v1", Versions.steady), to: try newer.profile("v2", Versions.steady))
        #expect(comparison.addedStages.map(\.text) == ["fresh"])
        #expect(comparison.removedStages.map(\.text) == ["gone"])
        let tiny = StageName("tiny")
        for metric in [Metric.wall, .cpu] {
            let row = try row(comparison, tiny, metric)
            #expect(row.verdict == nil)
            #expect(row.reason == "Too short to say: the smallest difference that counts is 5 ms.")
        }
        // Half a mebibyte of ten is less than the one that counts.
        #expect(try row(comparison, tiny, .peakResident).verdict == .unchanged)
        #expect(try row(comparison, StageName("gone"), .wall).verdict == nil)
    }

    @Test("A stage's regression decides only when stages are asked to")
    func gate() throws {
        let versions = Versions()
        let older = try versions.profile("v1", Versions.steady)
        let newer = try versions.profile("v2", Versions.steady, slower: ["rss_feed_fetch": 1.12])
        let total = Comparison(from: older, to: newer)
        #expect(total.outcome == .verdict(.unchanged))
        #expect(total.headline.contains(" But rss_feed_fetch got 12 % slower ("))
        let stages = Comparison(from: older, to: newer, settings: ComparisonSettings(gate: .stages))
        #expect(stages.outcome == .verdict(.regressed))
    }

    @Test("A file of the older schema is compared as far as it goes, and what cannot be concluded is said")
    func olderSchema() throws {
        let text = """
            release: old
            date: '2026-01-01'
            dataset_id: indicator_v1
            stages:
              transcription: {wall_time_s: 5, peak_rss_mb: 0, avg_cpu_pct: 0.0}
            totals: {wall_time_s: 9}
            """
        let older = try FrozenProfile.decode(Array(text.utf8), name: "old.yaml")
        let comparison = Comparison(from: older, to: try Versions().profile("v2", Versions.steady))
        #expect(comparison.outcome == .verdict(.inconclusive))
        let wall = try row(comparison, .transcription, .wall)
        #expect((try #require(wall.deltaPercent) - 20.1).magnitude < 0.1)
        #expect(
            wall.reason == "old is of the older schema, which keeps no single runs: what it has may be noise."
        )
        #expect(
            try row(comparison, .transcription, .cpu).reason
                == "old has no value: not recorded by the older schema.")
        #expect(ComparisonText(comparison).render().contains("Schemas differ: 1.0, now 2."))
    }

    @Test("A regression of the run is located, even where no stage's own change is one")
    func placed() throws {
        let older = try Versions().profile("v1", Versions.steady)
        var settings = ComparisonSettings()
        for metric in [Metric.wall, .cpu] {
            settings.budgets.commandLine[.init(stage: .transcription, metric: metric)] = 50
        }
        var slower = Comparison(
            from: older, to: try Versions().profile("v2", Versions.steady, slower: ["transcription": 1.2]),
            settings: settings)
        #expect(slower.headline.hasSuffix(" %); most of it is in transcription."))
        #expect(slower.stagesToExplain == [.transcription])
        slower.explanations = [
            .transcription: StageExplanation(clause: "ngram_search accounts for 71 % of it")
        ]
        #expect(
            slower.headline.hasSuffix(
                "; most of it is in transcription, where ngram_search accounts for 71 % of it."))
        var more = Versions()
        more.stages.append(.init(name: "verify", wall: 2, cpu: 1, peak: 90))
        let added = Comparison(from: older, to: try more.profile("v2", Versions.steady), settings: settings)
        #expect(added.headline.hasSuffix(" %); the stage verify is new."))
        let same = Comparison(from: older, to: older)
        #expect(
            same.comparability.warnings.first?.sentence
                == "Both sides are one and the same profile, v1, so nothing can have changed.")
    }
}
