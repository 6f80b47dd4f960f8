internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
public import ProfileComparison

/// How two versions are measured.
public enum Plan: Sendable, Hashable {
    /// Frozen against frozen: sessions a side, runs each; degrees of freedom of a ledger that knows the variance.
    case sessions(Int, runs: Int, ledger: Int)
    /// Runs in turn.
    case pairs(Int)
}

/// Which rule called something a regression, in one simulated comparison of three metrics.
public struct Calls: Sendable {
    /// Our verdict.
    public var ours: Verdict
    /// benchstat's documented rule: a metric's median is higher, with p < 0.05 of the exact two-sided Mann-Whitney test on all
    /// runs, with no correction for the number of metrics.
    public var benchstat: Bool
    /// A metric's median is more than 5 % higher.
    public var fixedPercent: Bool
}

/// Comparisons of simulated measurements, judged by the code that judges real ones.
public struct Simulation: Sendable {
    public var noise: NoiseModel
    public var plan: Plan
    /// By how much the new version's times are larger: 0.1 is 10 %.
    public var change: Double
    /// The budget of times in percent; that of memory is 2.
    public var budgetPercent: Double
    /// Stages of the run, each with noise of its own; with any, every stage's rows decide too.
    public var stages = 0

    /// A kind of comparison.
    public init(noise: NoiseModel, plan: Plan, change: Double, budgetPercent: Double = 3) {
        self.noise = noise
        self.plan = plan
        self.change = change
        self.budgetPercent = budgetPercent
    }

    /// One comparison.
    public func once(_ random: inout RandomNumbers) -> Calls {
        let level = Mathematics.logarithmOfOnePlus(change)
        // Wall and CPU time change, memory does not; each has noise of its own.
        let metrics = [level, level, 0].map { values(change: $0, &random) }
        let parts = (0..<stages).map { _ in [level, level, 0].map { values(change: $0, &random) } }
        let old = profile(metrics.map(\.old), stages: parts.map { $0.map(\.old) })
        let new = profile(metrics.map(\.new), stages: parts.map { $0.map(\.new) })
        return Calls(
            ours: verdict(old, new, &random),
            benchstat: metrics.contains { calledByBenchstat($0.old.flatMap(\.self), $0.new.flatMap(\.self)) },
            fixedPercent: metrics.contains { calledByPercent($0.old.flatMap(\.self), $0.new.flatMap(\.self)) }
        )
    }

    /// How often each rule called a regression, and ours a verdict, in so many comparisons.
    public func rates(_ comparisons: Int, seed: UInt64) -> Rates {
        var random = RandomNumbers(seed: seed)
        var rates = Rates(comparisons: comparisons)
        for _ in 0..<comparisons { rates.count(once(&random)) }
        return rates
    }

    private func values(change: Double, _ random: inout RandomNumbers) -> (old: [[Double]], new: [[Double]]) {
        switch plan {
        case .sessions(let sessions, let runs, _):
            let old = (0..<sessions).map { _ in noise.session(runs: runs, level: 0, &random) }
            let new = (0..<sessions).map { _ in noise.session(runs: runs, level: change, &random) }
            return (old, new)
        case .pairs(let count):
            let pairs = noise.pairs(count, change: change, &random)
            return ([pairs.old], [pairs.new])
        }
    }

    private func verdict(_ old: FrozenProfile, _ new: FrozenProfile, _ random: inout RandomNumbers) -> Verdict
    {
        var settings = ComparisonSettings(gate: stages > 0 ? .stages : .total)
        settings.budgets.commandLine = [
            BudgetPolicy.Target(stage: nil, metric: .wall): budgetPercent,
            BudgetPolicy.Target(stage: nil, metric: .cpu): budgetPercent,
        ]
        let comparison: Comparison
        switch plan {
        case .sessions(_, let runs, let degrees):
            if degrees > 0 { settings.ledger = ledger(old, runs: runs, degrees: degrees, &random) }
            // What makes sessions unfair is not simulated, and would only leave some out.
            settings.allowances = [ComparabilityKey.invalidSession.rawValue]
            comparison = Comparison(from: old, to: new, settings: settings)
        case .pairs:
            comparison = Comparison(interleaved: old, with: new, settings: settings)
        }
        guard case .verdict(let verdict) = comparison.outcome else { return .inconclusive }
        return verdict
    }

    /// What earlier sessions of the same noise would have told.
    private func ledger(
        _ profile: FrozenProfile, runs: Int, degrees: Int, _ random: inout RandomNumbers
    ) -> NoiseLedger {
        var ledger = NoiseLedger(
            file: "simulated", machine: MachineClass(facts: [:]), workload: Workload(profile))
        for metric in [Metric.wall, .cpu, .peakResident] {
            let medians = (0...degrees).compactMap { _ in
                FrozenProfile.median(
                    noise.session(runs: runs, level: 0, &random).map(Logarithm.natural))
            }
            guard let variance = VarianceEstimate(of: medians) else { continue }
            ledger[nil, metric] = NoiseLedger.Entry(
                sessions: variance, sessionCount: degrees + 1, runsPerSession: runs, firstDate: "",
                lastDate: "")
        }
        return ledger
    }

    private func profile(_ metrics: [[[Double]]], stages: [[[[Double]]]]) -> FrozenProfile {
        func use(_ metrics: [[[Double]]], _ session: Int, _ run: Int) -> ResourceUse {
            ResourceUse(
                wallSeconds: .value(10 * metrics[0][session][run]),
                cpuSeconds: .value(9 * metrics[1][session][run]),
                peakResidentMB: .value(500 * metrics[2][session][run]),
                averageCPUPercent: .unavailable(reason: "not simulated"))
        }
        let sessions = metrics[0].indices.map { session in
            Session(
                id: "s\(session + 1)", startedAt: nil, observed: ObservedEnvironment(),
                runs: metrics[0][session].indices.map { run in
                    Run(
                        index: run + 1, kind: .measured, startedAt: nil, exit: .value(0),
                        use: use(metrics, session, run),
                        stages: stages.enumerated().compactMap { number, metrics in
                            StageName("stage \(number + 1)").map {
                                StageRun(
                                    stage: $0, entered: .value(1),
                                    workSeconds: .unavailable(reason: "not simulated"),
                                    use: use(metrics, session, run))
                            }
                        })
                })
        }
        return FrozenProfile(
            release: "simulated", date: "", datasetID: .value("simulated"), episodesProcessed: .value(1),
            environment: ProfileEnvironment(identity: EnvironmentIdentity(), observed: ObservedEnvironment()),
            captureQuality: nil, recipe: nil, sessions: sessions)
    }

    private func calledByBenchstat(_ old: [Double], _ new: [Double]) -> Bool {
        guard let test = MannWhitney.test(new, old, alternative: .twoSided),
            let older = FrozenProfile.median(old), let newer = FrozenProfile.median(new)
        else { return false }
        return test.probability < 0.05 && newer > older
    }

    private func calledByPercent(_ old: [Double], _ new: [Double]) -> Bool {
        guard let older = FrozenProfile.median(old), let newer = FrozenProfile.median(new) else {
            return false
        }
        return newer > 1.05 * older
    }
}

/// How often something was called.
public struct Rates: Sendable {
    public let comparisons: Int
    private var verdicts: [Verdict: Int] = [:]
    private var benchstatCalls = 0
    private var fixedCalls = 0

    init(comparisons: Int) {
        self.comparisons = comparisons
    }

    mutating func count(_ calls: Calls) {
        verdicts[calls.ours, default: 0] += 1
        if calls.benchstat { benchstatCalls += 1 }
        if calls.fixedPercent { fixedCalls += 1 }
    }

    /// How many comparisons got a verdict of ours.
    public func number(_ verdict: Verdict) -> Int { verdicts[verdict] ?? 0 }
    /// In how many benchstat's rule calls a metric slower.
    public var benchstat: Int { benchstatCalls }
    /// In how many a metric's median is more than 5 % up.
    public var fixedPercent: Int { fixedCalls }

    /// A number of comparisons in percent of all.
    public func percent(_ number: Int) -> Double { 100 * Double(number) / Double(comparisons) }
}
