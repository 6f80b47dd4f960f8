import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing

@Suite("Freezing the podcast pipeline")
struct PodcastFreezeTests {
    /// Freezes the embedded feed's first two episodes as `make profile-freeze` does, with the binaries under test.
    private static func freeze(into toolkit: Toolkit) throws -> CommandResult {
        let config = "\(toolkit.directory.path)/two-episodes.yaml"
        try Files.replace(config, with: "rss: http://e2e-placeholder.invalid/feed.xml\nmax_episodes: 2\n")
        return try runCommand(
            ["\(BuiltProduct.packageDirectory)/scripts/profile-freeze"],
            environment: [
                "VERSION": "v0.1.0", "PIPELINE_CONFIG": config, "OUTPUT": toolkit.yaml("v0.1.0"),
                "SKIP_WARMUP": "1", "MONITOR": "1", "RUNS": "1", "COUNT_RUNS": "0",
                "FREEZE_PROFILE_BIN": Files.directory(of: BuiltProduct.path("freeze-profile")),
            ], in: BuiltProduct.packageDirectory)
    }

    @Test("stages, monitor log and flamegraph of one real run agree")
    func endToEnd() throws {
        let toolkit = try Toolkit()
        let result = try Self.freeze(into: toolkit)
        try #require(result.status == .code(0), "\(result.standardError)")
        #expect(result.standardError.contains("DATASET_ID is not set; assuming 'two-episodes'"))
        let profile = try ProfileStore.load(path: toolkit.yaml("v0.1.0"))
        try checkStages(profile)
        try checkLog(try toolkit.text(toolkit.companion("v0.1.0", .monitorLog)), profile)
        try checkStacks(try toolkit.text(toolkit.companion("v0.1.0", .flamegraph)), profile)
        let truth = try toolkit.text(toolkit.companion("v0.1.0", .stageTruth))
        #expect(truth.contains("rfc065_monitor") && truth.contains("event trace"))
        #expect(ProfileStore(directory: toolkit.directory.path).damagedCompanions(of: profile).isEmpty)
    }

    private func checkStages(_ profile: FrozenProfile) throws {
        #expect(profile.stages.count >= 6)
        let total = try #require(profile.totals.use.wallSeconds.value)
        let walls = try profile.stages.map { try #require($0.use.wallSeconds.value) }
        let cpus = try profile.stages.map { try #require($0.use.cpuSeconds.value) }
        let residual = try #require(profile.totals.unattributedWallSeconds.value)
        #expect(abs(walls.reduce(0, +) + residual - total) < 0.001)
        #expect(residual < 0.2 * total)
        #expect(cpus.reduce(0, +) <= (try #require(profile.totals.use.cpuSeconds.value)) + 0.05)
        let transcription = try #require(profile.stages.first { $0.stage == .transcription })
        #expect(try #require(transcription.use.wallSeconds.value) > 0.5 * total)
        // The language model alone is 27 MB on disk and larger in memory.
        #expect(try #require(transcription.use.peakResidentMB.value) > 40)
        // Near 100 on a machine of its own. Other processes take CPU time from it, so only the order is certain.
        #expect((50...110).contains(try #require(transcription.use.averageCPUPercent.value)))
        #expect(profile.recipe?.arguments.contains("{feed_url}") == true)
        let variables = try #require(profile.recipe).environment.map(\.name)
        #expect(
            !variables.contains { ["VERSION", "OUTPUT", "MONITOR", "RUNS"].contains($0) }, "\(variables)")
    }

    private func checkLog(_ log: String, _ profile: FrozenProfile) throws {
        let lines = log.split(separator: "\n")
        #expect(lines.first?.hasPrefix("# podcast") == true)
        func value(_ key: String, _ line: Substring) -> String? {
            line.split(separator: " ").first { $0.hasPrefix("\(key)=") }.map {
                String($0.dropFirst(key.count + 1))
            }
        }
        let ticks = lines.filter { $0.contains(" pid=") }
        let elapsed = ticks.compactMap { value("elapsed_s", $0).flatMap { Double($0) } }
        #expect(elapsed.count == ticks.count)
        // Twice a second, with room for a busy machine.
        #expect(zip(elapsed, elapsed.dropFirst()).allSatisfy { $1 - $0 < 1.5 })
        #expect(Double(ticks.count) > (elapsed.last ?? 0) * 1.5)
        let busy = ticks.filter { $0.contains("stage=transcription ") }
            .compactMap { value("cpu_pct", $0).flatMap { Double($0) } }
        #expect(busy.count > 3)
        #expect(busy.sorted()[busy.count / 2] > 50)
        for stage in profile.stages { #expect(log.contains("  stage=\(stage.stage.text) wall_s=")) }
        #expect(lines.last == "pipeline_exited=1 exit_code=0")
    }

    private func checkStacks(_ svg: String, _ profile: FrozenProfile) throws {
        let sampler = try #require(profile.captureQuality?.sampler)
        #expect(sampler.name == "perf cpu-clock")
        #expect(try #require(sampler.recorded.value) > 500)
        #expect(sampler.lost == .value(0))
        #expect(try #require(sampler.unknownFramesPercent.value) < 5)
        // A static function of PocketSphinx, one of its API, one of ours, under main and under its stage.
        for name in ["ngram_fwdtree_search", "ps_process_raw", "PodcastPipeline.", "_main", "transcription"] {
            #expect(svg.contains(name), "\(name) is not in the flamegraph")
        }
    }
}
