import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing

@Suite("Freezing pipelines that are not ours")
struct ForeignPipelineTests {
    private static func stage(_ name: String, of profile: FrozenProfile) throws -> ResourceUse {
        try #require(profile.stages.first { $0.stage.text == name }, "no stage \(name)").use
    }

    @Test("a Python script with the six plain fields: every stage, also one of 50 ms, with its CPU time")
    func python() throws {
        let toolkit = try Toolkit()
        let result = try toolkit.capture(
            "py", ["--skip-warmup"], Toolkit.pythonPipeline, path: Toolkit.plainPath)
        try #require(result.status == .code(0), "\(result.standardError)")
        let profile = try ProfileStore.load(path: toolkit.yaml("py"))
        #expect(profile.stages.map(\.stage.text) == ["ingest", "crunch", "blink", "publish"])
        #expect(profile.episodesProcessed == .value(2))
        let crunch = try Self.stage("crunch", of: profile)
        #expect((0.95...1.2).contains(try #require(crunch.cpuSeconds.value)))
        #expect((80...105).contains(try #require(crunch.averageCPUPercent.value)))
        #expect((0.05...0.2).contains(try #require(try Self.stage("blink", of: profile).wallSeconds.value)))
        let ingest = try Self.stage("ingest", of: profile)
        #expect((0.3...0.5).contains(try #require(ingest.wallSeconds.value)))
        #expect(try #require(ingest.averageCPUPercent.value) < 20)
        // The interpreter starts before the first stage does, so no transition is at the run's very beginning.
        let truth = try toolkit.text(toolkit.companion("py", .stageTruth))
        #expect(truth.contains("\"ingest\"") && truth.contains("\"event\": \"begin\""))
        #expect(!truth.contains("\"at_s\": 0.0,"))
        // The default that capture gives the monitor.
        #expect(truth.contains("\"sample_interval_s\": 0.5,"))
        let sampler = try #require(profile.captureQuality?.sampler)
        #expect(sampler.name == "perf cpu-clock")
    }

    @Test("where py-spy is on PATH its picture lies beside a Python target's stacks, which are our own")
    func pySpy() throws {
        let program = try #require(
            CurrentProcess.environmentVariable("PATH")?.split(separator: ":").map { "\($0)/py-spy" }
                .first { Files.isExecutable($0) }, "py-spy is not on PATH; run the tests with 'make test'")
        let toolkit = try Toolkit()
        let path = "\(Files.directory(of: program)):\(Toolkit.plainPath)"
        let result = try toolkit.capture("py", ["--skip-warmup"], Toolkit.pythonPipeline, path: path)
        try #require(result.status == .code(0), "\(result.standardError)")
        let sampler = try #require(try ProfileStore.load(path: toolkit.yaml("py")).captureQuality?.sampler)
        #expect(sampler.name == "perf cpu-clock")
        #expect(try #require(sampler.recorded.value) > 50)
        let picture = try toolkit.text(toolkit.companion("py", .pySpyFlamegraph))
        #expect(picture.contains("crunch_numbers"))
        // Neither the process's number nor its command line is a frame.
        #expect(!picture.contains("process "))
    }

    @Test("a shell script, its children counted")
    func shell() throws {
        let toolkit = try Toolkit()
        let result = try toolkit.capture("sh", ["--skip-warmup"], Toolkit.shellPipeline)
        try #require(result.status == .code(0), "\(result.standardError)")
        let profile = try ProfileStore.load(path: toolkit.yaml("sh"))
        #expect(profile.stages.map(\.stage.text) == ["extract", "sort", "compress"])
        #expect(try #require(try Self.stage("sort", of: profile).cpuSeconds.value) > 0.1)
        let total = try #require(profile.totals.use.peakResidentMB.value)
        #expect(profile.stages.allSatisfy { ($0.use.peakResidentMB.value ?? 0) <= total })
        #expect(try toolkit.text(toolkit.companion("sh", .flamegraph)).contains("sort"))
    }

    @Test("two versions are compared; the same version again is refused, and replaced when forced")
    func twice() throws {
        let toolkit = try Toolkit()
        let quick = ["--skip-warmup", "--sampler", "none"]
        for version in ["v1", "v2"] {
            #expect(try toolkit.capture(version, quick, Toolkit.shellPipeline).status == .code(0))
        }
        let diff = try toolkit.diff("v1", "v2")
        // One session a side cannot show how much sessions differ.
        #expect(diff.status == .code(2), "\(diff.standardOutput)\(diff.standardError)")
        #expect(diff.standardOutput.contains("sort") && diff.standardOutput.contains("RSS MB"))
        #expect(try toolkit.diff("v1", "v2", ["--fail-on", "regression"]).status == .code(0))
        #expect(
            diff.standardOutput.split(separator: "\n").allSatisfy {
                // Commands to be copied stay whole.
                $0.count <= 80 || $0.hasPrefix("  freeze-profile ")
            })

        let before = try Files.read(toolkit.yaml("v1"), limit: 1 << 20)
        let refused = try toolkit.capture("v1", quick, Toolkit.shellPipeline)
        #expect(refused.status == .code(73))
        #expect(refused.standardError.contains("Version v1 is frozen already"))
        #expect(try Files.read(toolkit.yaml("v1"), limit: 1 << 20) == before)
        #expect(try toolkit.capture("v1", quick + ["--force"], Toolkit.shellPipeline).status == .code(0))
        #expect(try Files.read(toolkit.yaml("v1"), limit: 1 << 20) != before)
    }

    @Test("a profile of the older schema is compared with one of ours")
    func olderSchema() throws {
        let toolkit = try Toolkit()
        try Files.replace(
            toolkit.yaml("v0"),
            with: """
                release: v0
                date: '2026-02-10'
                dataset_id: smoke
                episodes_processed: 2
                environment: {hostname: old, python_version: 3.11.8}
                stages:
                  sort: {wall_time_s: 1.5, peak_rss_mb: 20.0, avg_cpu_pct: 99.0}
                  retired: {wall_time_s: 2.0, peak_rss_mb: 5.0, avg_cpu_pct: 1.0}
                totals: {peak_rss_mb: 20.0, wall_time_s: 3.5, avg_wall_time_per_episode_s: 1.75}

                """)
        let capture = try toolkit.capture(
            "v1", ["--skip-warmup", "--sampler", "none"], Toolkit.shellPipeline)
        #expect(capture.status == .code(0))
        let diff = try toolkit.diff("v0", "v1")
        #expect(diff.status == .code(2), "\(diff.standardError)")
        #expect(diff.standardOutput.contains("retired"))
        #expect(diff.standardOutput.contains("removed"))
    }
}
