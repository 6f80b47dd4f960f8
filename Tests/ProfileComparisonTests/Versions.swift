import FrozenProfile
import Measurement
import Testing

/// Frozen profiles for tests, from how much slower everything is in each session and run.
struct Versions {
    /// What a stage uses in a run of factor 1.
    struct Stage {
        var name: String
        var wall: Double
        var cpu: Double
        var peak: Double
    }

    var stages = [
        Stage(name: "rss_feed_fetch", wall: 1, cpu: 0.25, peak: 100),
        Stage(name: "transcription", wall: 6, cpu: 5, peak: 512),
    ]
    var identity: [IdentityKey: Reading<Fact>] = [:]

    /// A profile with a session for each element, of runs that take so many times as long.
    func profile(
        _ release: String, date: String = "2026-02-10T14:20:00Z", _ sessions: [[Double]],
        slower: [String: Double] = [:]
    ) throws -> FrozenProfile {
        var facts = identity
        for key in IdentityKey.allCases where !key.isSource && facts[key] == nil {
            facts[key] = .value(.text("same"))
        }
        let made = try sessions.enumerated().map { number, runs in
            Session(
                id: "s\(number + 1)", startedAt: nil, observed: ObservedEnvironment(),
                runs: try runs.enumerated().map { index, factor in
                    try run(index + 1, factor: factor, slower: slower)
                })
        }
        return FrozenProfile(
            release: release, date: date, datasetID: .value("indicator_v1"), episodesProcessed: .value(5),
            environment: ProfileEnvironment(
                identity: EnvironmentIdentity(facts), observed: ObservedEnvironment()),
            captureQuality: nil, recipe: nil, sessions: made)
    }

    private func run(_ index: Int, factor: Double, slower: [String: Double]) throws -> Run {
        let entered = try stages.map { stage in
            let own = factor * (slower[stage.name] ?? 1)
            return StageRun(
                stage: try #require(StageName(stage.name)), entered: .value(1),
                workSeconds: .value(stage.wall * own),
                use: ResourceUse(
                    wallSeconds: .value(stage.wall * own), cpuSeconds: .value(stage.cpu * own),
                    peakResidentMB: .value(stage.peak),
                    averageCPUPercent: stage.wall > 0
                        ? .value((100 * stage.cpu / stage.wall).rounded())
                        : .unavailable(reason: "it took no time")))
        }
        func sum(_ metric: Metric) -> Double { entered.compactMap { $0.use[metric].value }.reduce(0, +) }
        return Run(
            index: index, kind: .measured, startedAt: nil, exit: .value(0),
            use: ResourceUse(
                wallSeconds: .value(sum(.wall)), cpuSeconds: .value(sum(.cpu)),
                peakResidentMB: .value(stages.map(\.peak).max() ?? 1),
                averageCPUPercent: sum(.wall) > 0
                    ? .value((100 * sum(.cpu) / sum(.wall)).rounded())
                    : .unavailable(reason: "it took no time")),
            stages: entered)
    }

    /// Sessions of five runs each that differ by about half a percent.
    static let steady = [
        [1.000, 1.002, 0.999, 1.001, 1.003], [1.004, 1.003, 1.005, 1.006, 1.002],
        [0.997, 0.996, 0.999, 0.998, 0.995], [1.002, 1.001, 1.003, 1.000, 1.002],
        [0.999, 1.001, 1.000, 0.998, 1.002],
    ]
    /// The first three of them.
    static let threeSteady = Array(steady.prefix(3))
    /// Sessions that differ by about three percent.
    static let noisy = [
        [1.00, 1.02, 0.99, 1.01, 1.03], [1.05, 1.04, 1.06, 1.03, 1.05], [0.97, 0.96, 0.98, 0.97, 0.99],
        [1.02, 1.01, 1.03, 1.00, 1.02], [0.98, 1.00, 0.99, 0.97, 1.01],
    ]
}
