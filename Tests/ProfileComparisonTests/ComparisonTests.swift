import FrozenProfile
import LinuxSystem
import Measurement
import ProfileComparison
import Testing

@Suite("Two profiles side by side")
struct ComparisonTests {
    private func stage(_ name: String, wall: Double, cpu: Double, peak: Reading<Double>) throws -> StageRun {
        StageRun(
            stage: try #require(StageName(name)), entered: .value(1), workSeconds: .value(wall),
            use: ResourceUse(
                wallSeconds: .value(wall), cpuSeconds: .value(cpu), peakResidentMB: peak,
                averageCPUPercent: wall > 0
                    ? .value(100 * cpu / wall) : .unavailable(reason: "it took no time")))
    }

    private func profile(
        _ release: String, wall: Double, _ stages: [StageRun], identity: [IdentityKey: Reading<Fact>] = [:],
        runs: Int = 1
    ) -> FrozenProfile {
        let use = ResourceUse(
            wallSeconds: .value(wall), cpuSeconds: .value(wall * 0.5), peakResidentMB: .value(512),
            averageCPUPercent: .value(50))
        var facts = identity
        for key in IdentityKey.allCases where !key.isSource && facts[key] == nil {
            facts[key] = .value(.text("same"))
        }
        let all = (1...runs).map {
            Run(index: $0, kind: .measured, startedAt: nil, exit: .value(0), use: use, stages: stages)
        }
        return FrozenProfile(
            release: release, date: "2026-02-10T14:20:00Z", datasetID: .value("indicator_v1"),
            episodesProcessed: .value(5),
            environment: ProfileEnvironment(
                identity: EnvironmentIdentity(facts), observed: ObservedEnvironment()),
            captureQuality: nil, recipe: nil,
            sessions: [Session(id: "s1", startedAt: nil, observed: ObservedEnvironment(), runs: all)])
    }

    private func pair() throws -> (FrozenProfile, FrozenProfile) {
        let older = profile(
            "v1.1.0", wall: 10,
            [
                try stage("rss_feed_fetch", wall: 1, cpu: 0.2, peak: .value(100)),
                try stage("audio_preprocessing", wall: 2, cpu: 1.5, peak: .value(200)),
                try stage(
                    "transcription", wall: 6, cpu: 5, peak: .unavailable(reason: "clear_refs was refused")),
            ],
            identity: [
                .cpuModel: .value(.text("Old CPU")), .gitCommit: .value(.text("0123456789abcdef")),
                .libc: .unavailable(reason: "not asked"),
            ])
        let newer = profile(
            "v1.2.0", wall: 12,
            [
                try stage("rss_feed_fetch", wall: 1, cpu: 0.3, peak: .value(90)),
                try stage("transcription", wall: 9, cpu: 8, peak: .value(512)),
                try stage(
                    "summarization", wall: 0, cpu: 0, peak: .unavailable(reason: "clear_refs was refused")),
            ],
            identity: [
                .cpuModel: .value(.text("New CPU")), .gitCommit: .value(.text("fedcba9876543210")),
                .gitDirty: .value(.bool(true)),
            ])
        return (older, newer)
    }

    @Test("Rows come in the order of the newer side, then what was removed, the total last")
    func rows() throws {
        let (older, newer) = try pair()
        let rows = ProfileComparison.table(from: older, to: newer)
        #expect(rows.count == 5 * Metric.primary.count)
        let wall = rows.filter { $0.metric == .wall }
        #expect(
            wall.map { $0.stage?.text } == [
                "rss_feed_fetch", "transcription", "summarization", "audio_preprocessing", nil,
            ])
        #expect(wall.map(\.presence) == [.both, .both, .added, .removed, .both])
        #expect(wall.map(\.changePercent) == [0, 50, nil, nil, 20])
        let peak = rows.filter { $0.metric == .peakResident }
        #expect(peak[1].from == .unavailable(reason: "clear_refs was refused"))
        #expect(peak[1].changePercent == nil)
        #expect(peak[0].changePercent == -10)
    }

    @Test("What differs besides the version is told")
    func warnings() throws {
        let (older, newer) = try pair()
        let comparison = ProfileComparison(from: older, to: newer)
        #expect(
            comparison.warnings == [
                "cpu_model differs: Old CPU, now New CPU.", "v1.2.0 was measured with uncommitted changes.",
                "Not recorded on both sides, so possibly different: libc.",
            ])
        #expect(
            comparison.notes == [
                "One run a side: no verdict; differences this small may be noise.",
                "Commits: 0123456789ab, now fedcba987654.",
            ])
        #expect(ProfileComparison(from: older, to: older).warnings.count == 1)
    }

    @Test("Another dataset, sampler and number of runs are told")
    func otherDifferences() throws {
        var (older, newer) = try pair()
        newer.datasetID = .value("other\u{1B}[31m")
        older.episodesProcessed = .unavailable(reason: "not counted")
        func quality(_ name: String) -> CaptureQuality {
            CaptureQuality(
                sampler: .init(
                    name: name, reason: nil, rateHz: .value(100), attempted: .value(1), recorded: .value(1),
                    lost: .value(0), truncated: .value(0), unwindFailed: .value(0),
                    unknownFramesPercent: .value(0)),
                profiledOverMeasuredWall: .value(1), monitorCPUSeconds: .value(0),
                samplerCPUSeconds: .value(0),
                notes: [])
        }
        older.captureQuality = quality("py-spy")
        newer.captureQuality = quality("perf cpu-clock")
        let warnings = ProfileComparison(from: older, to: newer).warnings
        #expect(warnings.contains("dataset_id differs: indicator_v1, now other\u{FFFD}[31m."))
        #expect(warnings.contains("sampler differs: py-spy, now perf cpu-clock."))
        #expect(
            warnings.last == "Not recorded on both sides, so possibly different: episodes_processed, libc.")
        let several = profile("v3", wall: 3, [], runs: 3)
        #expect(
            ProfileComparison(from: older, to: several).notes[0]
                == "Medians of 1 and 3 measured runs: no verdict; small differences may be noise.")
    }

    @Test("The table looks as the golden one and fits 80 columns")
    func golden() throws {
        var (older, newer) = try pair()
        older.stages[0].use.cpuSeconds = .value(0)
        newer.stages[1].use.wallSeconds = .value(12345.678)
        let text = ProfileComparison(from: older, to: newer).render(width: 80)
        let path = Files.directory(of: Files.directory(of: #filePath)) + "/Fixtures/comparison.txt"
        if CurrentProcess.isSwitchedOn("RECORD_GOLDENS") {
            try Files.replace(path, with: text)
            Issue.record(
                "The golden file has been recorded; look at it and run again without RECORD_GOLDENS.")
        }
        #expect(text == String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self))
    }

    @Test("No line is wider than the terminal, and no control character comes through, whatever the names")
    func widths() throws {
        let long = String(repeating: "stage", count: 13)
        let older = profile(
            String(repeating: "v", count: 128), wall: 1e12,
            [try stage(long, wall: 1e9, cpu: 1e9, peak: .value(1e12))])
        let newer = profile(
            "v\u{1B}[31m", wall: 1,
            [
                try stage(
                    long, wall: 1, cpu: 0, peak: .unavailable(reason: String(repeating: "long ", count: 80)))
            ])
        for width in [20, 64, 80, 200] {
            let text = ProfileComparison(from: older, to: newer).render(width: width)
            for line in text.split(separator: "\n") { #expect(line.count <= max(width, 64), "\(line)") }
            #expect(!text.contains("\u{1B}"))
        }
    }

    @Test("A file of the older schema is compared as far as it goes")
    func olderSchema() throws {
        let text = """
            release: old
            date: '2026-01-01'
            stages:
              transcription: {wall_time_s: 6, peak_rss_mb: 0, avg_cpu_pct: 0.0}
            totals: {wall_time_s: 9}
            """
        let older = try FrozenProfile.decode(Array(text.utf8), name: "old.yaml")
        let comparison = ProfileComparison(from: older, to: try pair().1)
        #expect(comparison.rows.first { $0.stage == .transcription }?.changePercent == 50)
        #expect(
            comparison.notes[0]
                == "No verdict: an older file does not tell how many runs it rests on, so any difference may be noise."
        )
        #expect(comparison.render().contains("Not available: not recorded by the older schema."))
    }
}
