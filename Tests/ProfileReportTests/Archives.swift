import FrozenProfile
import LinuxSystem
import Measurement
import ProfileStore
import StackProfile
import Testing

/// Frozen versions with stacks, made of known numbers.
struct Archives {
    /// Seconds of each function of `transcription`, in every run.
    var seconds: [String: Double]
    /// How much longer each of the three sessions takes.
    var sessions = [1.0, 1.004, 0.997]
    var commit = "0123456789abcdef0123456789abcdef01234567"
    var stage = "transcription"
    var hasStacks = true

    static let older = Archives(seconds: ["decode": 1, "ngram_search": 3, "log_add": 1])
    static var newer: Archives {
        var archives = older
        archives.seconds["ngram_search"] = 3.6
        archives.commit = "fedcba9876543210fedcba9876543210fedcba98"
        return archives
    }

    private var total: Double { seconds.values.reduce(0, +) }

    private func run(_ index: Int, _ kind: RunKind, _ factor: Double) throws -> Run {
        let cpu = total * factor
        let use = ResourceUse(
            wallSeconds: .value(cpu * 1.1), cpuSeconds: .value(cpu), peakResidentMB: .value(100),
            averageCPUPercent: .value(90))
        let name = try #require(StageName(stage))
        return Run(
            index: index, kind: kind, startedAt: nil, exit: .value(0), use: use,
            stages: [StageRun(stage: name, entered: .value(1), workSeconds: .value(cpu), use: use)])
    }

    /// The profile of a version, and its stacks.
    func make(_ release: String, date: String) throws -> (profile: FrozenProfile, stacks: StackProfile) {
        var facts: [IdentityKey: Reading<Fact>] = [:]
        for key in IdentityKey.allCases where !key.isSource { facts[key] = .value(.text("same")) }
        facts[.gitCommit] = .value(.text(commit))
        var builder = StackProfileBuilder(period: .milliseconds(1))
        var made: [Session] = []
        for (number, factor) in sessions.enumerated() {
            var runs: [Run] = []
            for index in 1...8 {
                let factor = factor * (1 + 0.001 * Double(index % 4))
                runs.append(try run(index, index <= 5 ? .measured : .profiled, factor))
                guard index > 5 else { continue }
                for (function, seconds) in seconds.sorted(by: { $0.key < $1.key }) {
                    try builder.add(
                        ["main", "run_stage", function].map { Frame($0, module: "pipeline") },
                        weight: Int64(1000 * seconds * factor),
                        labels: SampleLabels(stage: StageName(stage), run: "s\(number + 1)/\(index)"))
                }
            }
            made.append(
                Session(id: "s\(number + 1)", startedAt: nil, observed: ObservedEnvironment(), runs: runs))
        }
        let profile = FrozenProfile(
            release: release, date: date, datasetID: .value("demo"), episodesProcessed: .value(2),
            environment: ProfileEnvironment(
                identity: EnvironmentIdentity(facts), observed: ObservedEnvironment()),
            captureQuality: nil, recipe: nil, sessions: made)
        return (profile, builder.build())
    }

    /// Freezes a version into a directory.
    func freeze(_ release: String, date: String, in directory: String) throws {
        let (profile, stacks) = try make(release, date: date)
        try ProfileStore(directory: directory).freeze(
            profile, as: try VersionName(release),
            companions: hasStacks ? [(.stacks, .bytes(Pprof.write(stacks)))] : [])
    }
}
