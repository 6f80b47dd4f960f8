import FrozenProfile
import Measurement
import StackProfile
import TestSupport
import Testing

@testable import ProfileComparison

/// Verdicts of counts, from one session a side.
struct CountedComparisonTests {
    private static let versions = Versions()

    private static func counts(
        _ stages: [(String, [Int64])], lowerBound: [String] = [], identity: String = "QEMU 7.2.22, CPU max"
    ) throws -> FrozenCounts {
        let parts = try stages.map { name, runs in
            FrozenCounts.Stage(
                name: try #require(StageName(name)),
                part: FrozenCounts.Part(
                    instructions: runs, systemCalls: .value(["read": 10]), lowerBound: lowerBound))
        }
        let runs = stages[0].1.count
        let total = (0..<runs).map { run in stages.reduce(Int64(0)) { $0 + $1.1[run] } }
        return FrozenCounts(
            engine: "qemu-user", identity: identity, command: ["pipeline"], environment: [], stages: parts,
            outside: FrozenCounts.Part(instructions: total.map { _ in 0 }, systemCalls: .value([:])),
            total: FrozenCounts.Part(
                instructions: total, systemCalls: .value([:]), lowerBound: lowerBound))
    }

    /// Versions whose one session a side says nothing of time.
    private static func comparison(
        _ older: FrozenCounts, _ newer: FrozenCounts, cpuModel: String = "same", slower: Double = 1,
        settings: ComparisonSettings = ComparisonSettings()
    ) throws -> Comparison {
        var other = versions
        other.identity[.cpuModel] = .value(.text(cpuModel))
        var from = try versions.profile("v1", [[1, 1.001, 0.999]])
        var to = try other.profile("v3", [[1, 1.001, 0.999]], slower: ["transcription": slower])
        from.counts = .value(older)
        to.counts = .value(newer)
        return Comparison(from: from, to: to, settings: settings)
    }

    private static let before: [(String, [Int64])] = [
        ("rss_feed_fetch", [100_000_000, 100_000_100]), ("transcription", [1_000_000_000, 1_000_002_000]),
    ]

    /// The counts of podcast-scraper, whose threads, pipes and ffmpeg vary most of all that was measured: 0.005 % apart in the
    /// whole run, up to 0.1 % in a stage. Comparisons of the same work, one or two runs a side.
    @Test(arguments: [1, 2])
    func unchangedWorkRaisesNoAlarm(runs: Int) throws {
        var generator = SeededGenerator(seed: 20_261_127)
        // The sum of twelve uniform numbers less 6 is nearly normal, with a spread of 1.
        func normal() -> Double {
            (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &generator) }
        }
        func side() throws -> FrozenCounts {
            try Self.counts([
                ("rss_feed_fetch", (0..<runs).map { _ in 40_000_000 + Int64(40_000 * normal()) }),
                ("transcription", (0..<runs).map { _ in 8_000_000_000 + Int64(400_000 * normal()) }),
            ])
        }
        var alarms = 0
        for _ in 0..<1000 {
            let rows = CountedComparison(
                try side(), try side(), budgetPercent: CountedComparison.standardBudget
            ).rows
            alarms += rows.contains { [.regressed, .improved].contains($0.verdict) } ? 1 : 0
        }
        #expect(alarms == 0)
        // The same rows with a change beyond the budget do alarm.
        var after = try side()
        for index in after.stages.indices where after.stages[index].name.text == "transcription" {
            after.stages[index].part.instructions = after.stages[index].part.instructions.map {
                $0 + $0 / 100
            }
        }
        let changed = CountedComparison(try side(), after, budgetPercent: CountedComparison.standardBudget)
        #expect(changed.rows.contains { $0.stage?.text == "transcription" && $0.verdict == .regressed })
    }

    @Test func oneStagesGrowthIsARegressionThatNamesStageAndFunction() throws {
        var after = Self.before
        after[1].1 = [1_250_000_000, 1_250_001_000]
        var comparison = try Self.comparison(
            Self.counts(Self.before), Self.counts(after), slower: 1.25)
        #expect(comparison.outcome == .verdict(.regressed))
        func profile(_ load: Int64) throws -> StackProfile {
            var builder = StackProfileBuilder(unit: .instructions)
            let labels = SampleLabels(stage: StageName("transcription"), run: "s1/2")
            try builder.add([Frame("load")], weight: load, labels: labels)
            try builder.add([Frame("other")], weight: 300_000_000, labels: labels)
            return builder.build()
        }
        guard case .value(var counted) = comparison.counted else {
            Issue.record("there are counts")
            return
        }
        counted.explain(from: try profile(700_000_000), to: try profile(950_000_000))
        comparison.counted = .value(counted)
        #expect(
            comparison.headline
                == "Regressed: transcription executes 25.0 % more instructions, all of it in load; "
                + "CPU time +25 %, which one session a side cannot confirm.")
        #expect(ComparisonText(comparison).render().contains("REGRESSED"))
        #expect(comparison.json.contains("\"counted\""))
    }

    @Test func aFunctionOfAProgramUnderAnotherNameIsTheSame() throws {
        func profile(_ program: String, _ load: Int64, _ names: [String]) throws -> StackProfile {
            var builder = StackProfileBuilder(unit: .instructions)
            let labels = SampleLabels(stage: StageName("transcription"), run: "s1/2")
            try builder.add([Frame("load", module: program)], weight: load, labels: labels)
            // Two of one name: they cannot be distinguished.
            for name in names { try builder.add([Frame("init", module: name)], weight: 100, labels: labels) }
            return builder.build()
        }
        var after = Self.before
        after[1].1 = [1_250_000_000, 1_250_001_000]
        var counted = try CountedComparison(
            Self.counts(Self.before), Self.counts(after), budgetPercent: 0.5)
        counted.explain(
            from: try profile("old", 700, ["liba.so.1", "libb.so.1"]),
            to: try profile("new", 950, ["liba.so.2", "libb.so.2"]))
        let row = try #require(counted.rows.first { $0.stage != nil && !$0.functions.isEmpty })
        let load = row.functions.filter { $0.name == "load" }
        #expect(load.map(\.module) == ["new"])
        #expect(load.map(\.from) == [700])
        #expect(load.map(\.to) == [950])
        #expect(row.functions.filter { $0.name == "init" }.count == 4)
    }

    @Test func functionsOfPythonStandBeforeTheInterpreters() throws {
        var after = Self.before
        after[1].1 = [1_250_000_000, 1_250_001_000]
        var counted = try #require(
            try Self.comparison(Self.counts(Self.before), Self.counts(after)).counted?.value)
        func profile(_ load: Int64, line: Int) throws -> StackProfile {
            var builder = StackProfileBuilder(unit: .instructions)
            let labels = SampleLabels(stage: StageName("transcription"), run: "s1/2")
            let loop = Frame("_PyEval_EvalFrameDefault", module: "python3.11")
            for (name, file, count) in [
                ("load", "/a/pipeline.py", load), ("load", "/a/other.py", 300_000_000),
            ] {
                let function = Frame(name, module: String(file.dropFirst(3)), file: file, line: line)
                try builder.add([function, loop], weight: count / 2, labels: labels)
                try builder.add(
                    [function, Frame("malloc", module: "libc.so.6")], weight: count / 2, labels: labels)
            }
            return builder.build()
        }
        // The function has moved in its file.
        counted.explain(from: try profile(700_000_000, line: 5), to: try profile(950_000_000, line: 9))
        let row = try #require(counted.rows.last)
        #expect(row.functions.map(\.name) == ["load"])
        #expect(row.functions.map(\.module) == ["pipeline.py"])
        #expect(row.functions.map(\.change) == [250_000_000])
        #expect(counted.clause(row).hasSuffix("all of it in load (pipeline.py)"))
    }

    @Test func theSameWorkIsFineOnAnotherMachine() throws {
        let comparison = try Self.comparison(
            Self.counts(Self.before), Self.counts(Self.before), cpuModel: "another", slower: 3)
        #expect(comparison.timeOutcome == .notComparable)
        #expect(comparison.outcome == .verdict(.unchanged))
        #expect(comparison.headline.hasPrefix("Unchanged: the run executes as many instructions as before"))
    }

    @Test func aChangeWithinTheFloorsIsNone() throws {
        var after = Self.before
        // 1 % apart on the old side: 1.2 % more is within the budget and the floor.
        var older = Self.before
        older[1].1 = [1_000_000_000, 1_010_000_000]
        after[1].1 = [1_012_000_000, 1_012_000_000]
        let comparison = try Self.comparison(Self.counts(older), Self.counts(after))
        let row = comparison.counted?.value?.rows.first { $0.stage?.text == "transcription" }
        #expect(row?.verdict != .regressed)
    }

    @Test func aLowerBoundIsNoVerdict() throws {
        let comparison = try Self.comparison(
            Self.counts(Self.before), Self.counts(Self.before, lowerBound: ["sudo ran uncounted: why"]))
        #expect(comparison.counted?.value?.verdict == .inconclusive)
        #expect(comparison.outcome == comparison.timeOutcome)
    }

    @Test func anotherEngineIsNotCompared() throws {
        let comparison = try Self.comparison(
            Self.counts(Self.before), Self.counts(Self.before, identity: "QEMU 9.0.0, CPU max"))
        #expect(comparison.counted?.unavailableReason?.contains("QEMU 9.0.0") == true)
    }

    /// Unchanged work whose runs spread by up to 0.5 %, a hundred times what was measured (docs/counting.md), raises no
    /// alarm; 3 % more work does.
    @Test func unchangedWorkRaisesNoAlarm() throws {
        var generator = SeededGenerator(seed: 15)
        for _ in 0..<1000 {
            func runs(_ count: Int64, _ spread: Double) -> [Int64] {
                (0..<2).map { _ in
                    count + Int64(Double(count) * spread * Double.random(in: -0.5...0.5, using: &generator))
                }
            }
            func side(times factor: Double = 1) throws -> FrozenCounts {
                // A pipeline of threads (0.5 % apart) and one whose runs are equal but for its start.
                try Self.counts([
                    ("rss_feed_fetch", runs(2_000_000, 0.004)),
                    ("transcription", runs(Int64(7.6e9 * factor), 0.005)),
                ])
            }
            let counted = CountedComparison.of(
                try Self.profile(side()), try Self.profile(side()), budgetPercent: 0.5)?.value
            #expect(counted?.verdict != .regressed)
            let more = CountedComparison.of(
                try Self.profile(side()), try Self.profile(side(times: 1.03)), budgetPercent: 0.5)?.value
            #expect(more?.verdict == .regressed)
        }
    }

    private static func profile(_ counts: FrozenCounts) throws -> FrozenProfile {
        var profile = try versions.profile("v1", [[1]])
        profile.counts = .value(counts)
        return profile
    }

    @Test func countsAreFrozenAndReadAgain() throws {
        let profile = try Self.profile(Self.counts(Self.before, lowerBound: ["a: b"]))
        let again = try FrozenProfile.decode(profile.encode(), name: "v1.yaml")
        #expect(again.counts == profile.counts)
        var without = profile
        without.counts = .unavailable(reason: "There is no engine.")
        #expect(try FrozenProfile.decode(without.encode(), name: "v1.yaml").counts == without.counts)
    }
}
