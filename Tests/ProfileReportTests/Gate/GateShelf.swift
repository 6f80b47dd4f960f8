import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileComparison
import ProfileStore
import TestSupport
import Testing

/// Frozen versions of known costs, and the gate run on them.
///
/// `v0` and `v1` cost the same; so does `v2`, or its transcription takes a fifth longer.
struct GateShelf {
    /// What a stage costs in a run of factor 1.
    struct Stage {
        var name: String
        var wall: Double
        var cpu: Double
        var peak: Double
    }

    static let stages = [
        Stage(name: "download", wall: 1, cpu: 0.25, peak: 100),
        Stage(name: "transcription", wall: 6, cpu: 5, peak: 512),
    ]
    /// Five sessions of five runs that differ by about half a percent.
    static let sessions = [
        [1.000, 1.002, 0.999, 1.001, 1.003], [1.004, 1.003, 1.005, 1.006, 1.002],
        [0.997, 0.996, 0.999, 0.998, 0.995], [1.002, 1.001, 1.003, 1.000, 1.002],
        [0.999, 1.001, 1.000, 0.998, 1.002],
    ]

    let directory: TemporaryDirectory
    var path: String { directory.path }
    var gateFile: String { "\(path)/gate.yaml" }

    init(slower: Double = 1) throws {
        directory = try TemporaryDirectory()
        try freeze("v0", daysAgo: 90)
        try freeze("v1", daysAgo: 60)
        try freeze("v2", daysAgo: 30, slower: slower)
    }

    /// A day so long before today, or after it, at noon.
    static func day(_ daysAgo: Int) -> String {
        let now = SystemClock.now.nanosecondsSinceEpoch
        return Timestamp(nanosecondsSinceEpoch: now - Int64(daysAgo) * 86_400_000_000_000).dateOnly
    }

    /// Freezes a version.
    ///
    /// - Parameters:
    ///   - slower: How many times as long transcription takes.
    ///   - sessions: How many times as long everything takes, by session and run.
    func freeze(
        _ version: String, daysAgo: Int, slower: Double = 1, stages: [Stage] = stages,
        sessions: [[Double]] = sessions, machine: String = "same"
    ) throws {
        var facts: [IdentityKey: Reading<Fact>] = [:]
        for key in IdentityKey.allCases where !key.isSource { facts[key] = .value(.text(machine)) }
        let made = try sessions.enumerated().map { number, runs in
            Session(
                id: "s\(number + 1)", startedAt: nil, observed: ObservedEnvironment(),
                runs: try runs.enumerated().map { index, factor in
                    try GateShelf.run(index + 1, factor, slower, stages)
                })
        }
        let profile = FrozenProfile(
            release: version, date: "\(GateShelf.day(daysAgo))T12:00:00Z", datasetID: .value("demo"),
            episodesProcessed: .value(2),
            environment: ProfileEnvironment(
                identity: EnvironmentIdentity(facts), observed: ObservedEnvironment()),
            captureQuality: nil, recipe: nil, sessions: made)
        try ProfileStore(directory: path).freeze(
            profile, as: try VersionName(version), companions: [], force: true)
    }

    private static func run(
        _ index: Int, _ factor: Double, _ slower: Double, _ stages: [Stage]
    ) throws -> Run {
        let entered = try stages.map { stage in
            let wall = stage.wall * factor * (stage.name == "transcription" ? slower : 1)
            return StageRun(
                stage: try #require(StageName(stage.name)), entered: .value(1), workSeconds: .value(wall),
                use: ResourceUse(
                    wallSeconds: .value(wall), cpuSeconds: .value(stage.cpu * factor),
                    peakResidentMB: .value(stage.peak),
                    averageCPUPercent: .unavailable(reason: "not asked for")))
        }
        func sum(_ metric: Metric) -> Double { entered.compactMap { $0.use[metric].value }.reduce(0, +) }
        return Run(
            index: index, kind: .measured, startedAt: nil, exit: .value(0),
            use: ResourceUse(
                wallSeconds: .value(sum(.wall)), cpuSeconds: .value(sum(.cpu)),
                peakResidentMB: .value(stages.map(\.peak).max() ?? 1),
                averageCPUPercent: .unavailable(reason: "not asked for")), stages: entered)
    }

    /// Changes a version's text.
    ///
    /// - Parameter signed: Whether the digest is corrected as well, as a careful cheat would do.
    func edit(_ version: String, signed: Bool, _ change: (String) -> String) throws {
        let file = "\(path)/\(version).yaml"
        let old = try read(file)
        var text = change(old)
        try #require(text != old, "the edit changes something")
        if signed {
            let digest = ContentDigest(of: Array(text.utf8))
            text = text.replacing(try #require(digest.stated), with: digest.computed)
        }
        try Files.replace(file, with: text)
    }

    func read(_ file: String) throws -> String {
        String(decoding: try Files.read(file, limit: 1 << 22), as: UTF8.self)
    }

    /// Writes a gate that accepts, each as the lines of one list item.
    func accept(_ items: [[(key: String, value: String)]]) throws {
        let text = items.map { item in
            "- " + item.map { "\($0.key): \($0.value)" }.joined(separator: "\n  ")
        }.joined(separator: "\n")
        try Files.replace(gateFile, with: "schema_version: '1.0'\naccepted:\n\(text)\n")
    }

    /// The acceptance of a fifth more wall time, of a stage or the whole run.
    static func acceptance(
        of stage: String?, metric: String = "wall_time_s", baseline: Double, ceiling: Double,
        daysLeft: Int = 30
    ) -> [(key: String, value: String)] {
        (stage.map { [("stage", $0)] } ?? []) + [
            ("metric", metric), ("unit", metric == "peak_rss_mb" ? "MiB" : "s"), ("baseline", "v1"),
            ("baseline_value", "\(baseline)"), ("version", "v2"), ("ceiling", "\(ceiling)"),
            ("until", "'\(day(-daysLeft))'"), ("reason", "a larger model"), ("owner", "ann"),
            ("link", "https://example.org/42"),
        ]
    }

    /// The two acceptances that let a slower `v2` pass.
    static var stage: [(key: String, value: String)] {
        acceptance(of: "transcription", baseline: 6, ceiling: 7.4)
    }
    static var total: [(key: String, value: String)] { acceptance(of: nil, baseline: 7, ceiling: 8.4) }

    /// Runs the gate from one version to another.
    func gate(_ from: String = "v1", _ to: String = "v2", _ more: [String] = []) throws -> CommandResult {
        try runCommand(
            [BuiltProduct.path("freeze-profile"), "gate", from, to, "--profiles", path] + more)
    }
}
