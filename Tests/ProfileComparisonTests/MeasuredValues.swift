import FrozenProfile
import Measurement

/// Profiles of given values.
enum MeasuredValues {
    /// A profile of a whole run without stages, from values by metric, session and run.
    static func profile(
        _ release: String, wall: [[Double]], cpu: [[Double]], peak: [[Double]], stage: StageName? = nil
    ) -> FrozenProfile {
        var facts: [IdentityKey: Reading<Fact>] = [:]
        for key in IdentityKey.allCases where !key.isSource { facts[key] = .value(.text("same")) }
        let sessions = wall.indices.map { session in
            Session(
                id: "s\(session + 1)", startedAt: nil, observed: ObservedEnvironment(),
                runs: wall[session].indices.map { run in
                    let use = ResourceUse(
                        wallSeconds: .value(wall[session][run]), cpuSeconds: .value(cpu[session][run]),
                        peakResidentMB: .value(peak[session][run]),
                        averageCPUPercent: .unavailable(reason: "not computed"))
                    return Run(
                        index: run + 1, kind: .measured, startedAt: nil, exit: .value(0), use: use,
                        stages: stage.map {
                            [StageRun(stage: $0, entered: .value(1), workSeconds: use.wallSeconds, use: use)]
                        }
                            ?? [])
                })
        }
        return FrozenProfile(
            release: release, date: "2026-02-10T14:20:00Z", datasetID: .value("set"),
            episodesProcessed: .value(1),
            environment: ProfileEnvironment(
                identity: EnvironmentIdentity(facts), observed: ObservedEnvironment()),
            captureQuality: nil, recipe: nil, sessions: sessions)
    }

    /// A profile whose wall time alone is of interest: its CPU time is nine tenths of it, its memory is constant.
    static func profile(_ release: String, wall: [[Double]]) -> FrozenProfile {
        profile(
            release, wall: wall, cpu: wall.map { $0.map { 0.9 * $0 } }, peak: wall.map { $0.map { _ in 100 } }
        )
    }
}
