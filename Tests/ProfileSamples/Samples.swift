public import FrozenProfile
public import Measurement
internal import MessageDigest

/// Profiles for tests.
public enum Samples {
    /// A text that names no stage.
    struct NoStageName: Error {
        var text: String
    }

    public static func stage(
        _ name: String, wall: Double, cpu: Double, peak: Reading<Double>, shared: Bool = false
    )
        throws
        -> StageRun
    {
        // A plain error: this target is built without the testing library, too.
        guard let stageName = StageName(name) else { throw NoStageName(text: name) }
        return StageRun(
            stage: stageName, entered: .value(1), workSeconds: .value(wall),
            use: ResourceUse(
                wallSeconds: .value(wall), cpuSeconds: .value(cpu), peakResidentMB: peak,
                averageCPUPercent: .value((100 * cpu / wall).rounded())), isShared: shared)
    }

    public static func run(
        _ index: Int, _ kind: RunKind = .measured, wall: Double, exit: Int = 0, _ stages: [StageRun]
    ) -> Run {
        Run(
            index: index, kind: kind, startedAt: "2026-02-10T14:0\(index):00.000Z", exit: .value(exit),
            use: ResourceUse(
                wallSeconds: .value(wall), cpuSeconds: .value(wall * 0.75), peakResidentMB: .value(300),
                averageCPUPercent: .value(75)), stages: stages)
    }

    /// A profile of so many runs of two stages: three rows a run.
    public static func profile(runs: Int, release: String = "v1") throws -> FrozenProfile {
        var profile = try profile(release: release)
        let stages = profile.sessions[0].runs.last?.stages ?? []
        profile.sessions[0].runs = (0..<runs).map { run($0 + 1, wall: 10 + Double($0 + 1) / 8, stages) }
        return FrozenProfile(
            release: release, date: profile.date, datasetID: profile.datasetID,
            episodesProcessed: profile.episodesProcessed, environment: profile.environment,
            captureQuality: profile.captureQuality, recipe: profile.recipe, sessions: profile.sessions)
    }

    /// A warm-up, three measured runs, one that failed and a profiled one.
    public static func profile(release: String = "v1.2.0") throws -> FrozenProfile {
        let noPeak = Reading<Double>.unavailable(reason: "clear_refs was refused: Operation not permitted")
        func stages(_ factor: Double) throws -> [StageRun] {
            [
                try stage("rss_feed_fetch", wall: 1 * factor, cpu: 0.25, peak: .value(100)),
                try stage("transcription", wall: 6 * factor, cpu: 5, peak: noPeak),
            ]
        }
        let runs = [
            run(1, .warmUp, wall: 30, try stages(3)), run(2, wall: 8, try stages(1)),
            run(3, wall: 8.5, try stages(1.0625)), run(4, wall: 1, exit: 137, try stages(0.125)),
            run(5, wall: 9, try stages(1.25)), run(6, .profiled, wall: 9.25, try stages(1.375)),
        ]
        let observed = ObservedEnvironment([
            .load: .value(0.25), .steal: .unavailable(reason: "/proc/stat has no steal time"),
        ])
        let identity = EnvironmentIdentity([
            .cpuModel: .value(.text("Example CPU @ 2.0 GHz")), .usableCPUs: .value(.number(1.5)),
            .memoryClass: .value(.number(8)), .gitDirty: .value(.bool(false)),
            .gitCommit: .unavailable(reason: "'.' is no git work tree with a commit"),
        ])
        return FrozenProfile(
            release: release, date: "2026-02-10T14:20:00Z", datasetID: .value("indicator_v1"),
            episodesProcessed: .value(5),
            environment: ProfileEnvironment(identity: identity, observed: observed),
            captureQuality: CaptureQuality(
                sampler: .init(
                    name: "perf cpu-clock", reason: "py-spy is not on PATH", rateHz: .value(997),
                    attempted: .value(9000), recorded: .value(8990), lost: .value(10), truncated: .value(3),
                    unwindFailed: .value(1), unknownFramesPercent: .value(0.25)),
                profiledOverMeasuredWall: .value(1.0882), monitorCPUSeconds: .value(0.012),
                samplerCPUSeconds: .unavailable(reason: "no sampler process"),
                notes: ["The machine was busy."]),
            recipe: Recipe(
                arguments: ["podcast-scraper", "--output-dir", "{output_dir}", "no"],
                configurationPath: "config.yaml",
                configurationSHA256: .value(SHA256.hexadecimal(of: Array("config".utf8))),
                inputSHA256: .unavailable(reason: "no input was named"),
                environment: [.init(name: "LANG", value: "C")]),
            sessions: [
                Session(id: "s1", startedAt: "2026-02-10T14:00:00.000Z", observed: observed, runs: runs)
            ])
    }

    /// The record of a run with two stages.
    public static func record(
        _ index: Int, _ kind: RunKind = .measured, wall: Double, session: String = "s1", hour: Int = 14
    ) throws -> RunRecord {
        var run = run(
            index, kind, wall: wall,
            kind == .warmUp
                ? []
                : [
                    try stage("rss_feed_fetch", wall: 1, cpu: 0.25, peak: .value(100)),
                    try stage(
                        "transcription", wall: 6, cpu: 5,
                        peak: .unavailable(reason: "clear_refs was refused: Operation not permitted")),
                ])
        run.startedAt = "2026-02-10T\(hour):0\(index):00.250Z"
        run.observed = ObservedEnvironment([.load: .value(0.25)])
        if !run.stages.isEmpty {
            run.stages[0].source = "event trace"
            run.stages[0].peakMethod = "high-water mark"
        }
        let isProfiled = kind == .profiled
        var record = RunRecord(
            toolVersion: "0.1.0", release: .value("v1"), session: try VersionName(session), run: run,
            recipe: Recipe(
                arguments: ["podcast-scraper", "{output_dir}"], configurationPath: nil,
                configurationSHA256: .unavailable(reason: "there is no configuration file"),
                inputSHA256: .unavailable(reason: "no input was named"), environment: []),
            program: .value("podcast-scraper"), datasetID: .value("indicator_v1"),
            episodesProcessed: .value(5),
            identity: EnvironmentIdentity([
                .cpuModel: .value(.text("Example CPU")), .usableCPUs: .value(.number(1.5)),
                .gitDirty: .value(.bool(false)), .buildMode: .value(.text("release")),
            ]),
            monitor: kind == .warmUp
                ? nil
                : RunRecord.Monitor(
                    cpuSeconds: .value(0.012), peakResidentMB: .value(7.5), ticks: 16, logLines: .value(20),
                    lostLogLines: 0),
            sampler: isProfiled
                ? .init(
                    name: "perf cpu-clock", reason: nil, rateHz: .value(997), attempted: .value(1002),
                    recorded: .value(1000), lost: .value(2), truncated: .value(0), unwindFailed: .value(1),
                    unknownFramesPercent: .value(0.25),
                    python: .init(proven: 960, unproven: 30, failed: 1))
                : .none(reason: "only profiled runs are sampled"),
            samplerCPUSeconds: isProfiled ? .value(0.05) : .unavailable(reason: "this run was not sampled"))
        record.notes = kind == .warmUp ? [] : ["The machine was busy."]
        record.transitions = run.stages.map {
            StageTruth.Transition(seconds: 0.5, stage: $0.stage, isBegin: true)
        }
        if isProfiled {
            record.files = [
                Companion(
                    kind: "stacks", file: "\(record.stem).stacks.pb.gz", sha256: SHA256.hexadecimal(of: []),
                    bytes: 0)
            ]
        }
        return record
    }

    /// What the Python writer of RFC-064 leaves: made by hand after its files, with short stages that no sample met.
    public static let older = """
        release: v2.6-wip
        date: '2026-04-10T09:24:33Z'
        dataset_id: e2e_podcast1_n2
        episodes_processed: 2
        environment:
          hostname: studio.local
          cpu: arm
          cpu_cores_logical: 14
          ram_total_gb: 48.0
          os: Darwin 24.6.0
          git_sha: 39c4b70
          git_dirty: true
          library_versions:
            torch: 2.9.1
            whisper: '20250625'
        stages:
          speaker_detection:
            wall_time_s: 0.12
            peak_rss_mb: 469
            avg_cpu_pct: 0.0
          summarization:
            wall_time_s: 204.4
            peak_rss_mb: 6924
            avg_cpu_pct: 246.61
          vector_indexing:
            wall_time_s: 0.4449
            peak_rss_mb: 0
            avg_cpu_pct: 0.0
        totals:
          peak_rss_mb: 7159
          wall_time_s: 111.9925
          avg_wall_time_per_episode_s: 55.9962
          sampling_note: Per-stage values use proportional windows;
            parallel work can be misattributed.

        """
}
