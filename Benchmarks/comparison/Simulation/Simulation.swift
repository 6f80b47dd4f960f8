internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
public import ProfileComparison
internal import Statistics

/// How two versions are measured.
public enum Plan: Sendable, Hashable {
    /// Frozen against frozen: sessions a side, runs each; degrees of freedom of a ledger that knows the variance.
    case sessions(Int, runs: Int, ledger: Int)
    /// Runs in turn.
    case pairs(Int)
    /// Runs in turn, more of them where so many pairs do not decide.
    case growing(Int)
}

/// Which rule called something a regression, in one simulated comparison of three metrics.
public struct Calls: Sendable {
    /// Our verdict.
    public var ours: Verdict
    /// Whether the machines were too different to compare; counted as inconclusive.
    public var isRefused = false
    /// Whether all bounds of the family hold the true changes; nil where a row has none for which that is claimed.
    public var isCovered: Bool?
    /// The runs that were made on each side.
    public var runsPerSide: Int
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
    /// The machine's wandering in the sessions of the old version, where it is another than the noise's.
    public var oldWander: Double?
    /// The same of the sessions that the ledger was learnt from.
    public var ledgerWander: Double?
    /// What lies on the shelf besides the two versions, and the noise is learnt from; nil for nothing.
    public var shelf: SimulatedShelf?
    /// Whether drift of the machine is left out of account.
    public var ignoresDrift = false

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
        let sides = [(0.0, oldWander ?? noise.wander), (level, noise.wander)]
        // Runs made in turn share the machine, which drifts as the noise says.
        var last: [Int: Double] = [:]
        let older = olderVersions(&last, &random)
        let measured =
            isInterleaved
            ? pairs(level, &random)
            : sides.enumerated().map { number, one in
                side(one.0, wander: one.1, stalls: number == 1 ? noise.stalls : 0, &last, &random)
            }
        let comparison = comparison(measured[0], measured[1], older, &random)
        func metrics(_ side: Side) -> [[Double]] { side.total.map { $0.flatMap(\.self) } }
        let values = Array(zip(metrics(measured[0]), metrics(measured[1])))
        let ours: Verdict =
            if case .verdict(let verdict) = comparison.outcome { verdict } else { .inconclusive }
        return Calls(
            ours: ours, isRefused: comparison.outcome == .notComparable,
            isCovered: isCovered(comparison, level),
            runsPerSide: comparison.to.runs,
            benchstat: values.contains { calledByBenchstat($0, $1) },
            fixedPercent: values.contains { calledByPercent($0, $1) })
    }

    private func isCovered(_ comparison: Comparison, _ level: Double) -> Bool? {
        let rows = comparison.rows.filter { $0.family == .total }
        guard !rows.isEmpty, rows.allSatisfy({ $0.change?.confidence != nil }) else { return nil }
        return rows.allSatisfy { row in
            guard let interval = row.change?.interval else { return false }
            let truth = row.metric == .peakResident ? 0 : level
            return interval.lower <= truth && truth <= interval.upper
        }
    }

    /// How often each rule called a regression, and ours a verdict, in so many comparisons.
    public func rates(_ comparisons: Int, seed: UInt64) -> Rates {
        var random = RandomNumbers(seed: seed)
        var rates = Rates(comparisons: comparisons)
        for _ in 0..<comparisons { rates.count(once(&random)) }
        return rates
    }

    /// What was measured of one version: of the run and of each stage, by metric, session and run.
    private struct Side {
        var total: [[[Double]]]
        var stages: [[[[Double]]]]
        /// The machine's speed in each session, for its canary.
        var speeds: [[Double]] = []
    }

    private var isInterleaved: Bool { if case .sessions = plan { false } else { true } }

    /// Sessions of a version: wall and CPU time feel its change and the machine's speed, memory neither.
    ///
    /// - Parameter last: What the session before had of its own, by metric.
    private func side(
        _ level: Double, wander: Double, stalls: Double, _ last: inout [Int: Double],
        _ random: inout RandomNumbers
    ) -> Side {
        guard case .sessions(let sessions, let runs, _) = plan else { return Side(total: [], stages: []) }
        var noise = noise
        noise.wander = wander
        let speeds = (0..<sessions).map { _ in noise.speed(runs: runs, &random) }
        let still = [Double](repeating: 0, count: runs + 1)
        let occasions = (0..<3).map { _ in noise.occasionDeviation * random.normal() }
        func metrics(
            _ part: Int, _ last: inout [Int: Double], _ random: inout RandomNumbers
        ) -> [[[Double]]] {
            (0..<3).map { metric in
                let isTime = metric < 2
                return speeds.map { speed in
                    let own =
                        occasions[metric] + noise.sessionEffect(after: &last[3 * part + metric], &random)
                    return noise.session(
                        runs: runs, level: isTime ? level : 0, own: own, speed: isTime ? speed : still,
                        stalls: isTime ? stalls : 0, &random)
                }
            }
        }
        let total = metrics(0, &last, &random)
        return Side(
            total: total, stages: (0..<stages).map { metrics($0 + 1, &last, &random) }, speeds: speeds)
    }

    /// Both versions' runs made in turn.
    private func pairs(_ level: Double, _ random: inout RandomNumbers) -> [Side] {
        let count = interleavedPlan?.pairs ?? 0
        var sides = [Side(total: [], stages: []), Side(total: [], stages: [])]
        for part in 0...stages {
            let made = [level, level, 0].map { noise.pairs(count, change: $0, &random) }
            let old = made.map { [$0.old] }
            let new = made.map { [$0.new] }
            if part == 0 {
                sides[0].total = old
                sides[1].total = new
            } else {
                sides[0].stages.append(old)
                sides[1].stages.append(new)
            }
        }
        return sides
    }

    private var interleavedPlan: InterleavedPlan? {
        switch plan {
        case .sessions: nil
        case .pairs(let pairs): InterleavedPlan(pairs: pairs, seed: 0)
        case .growing(let pairs): InterleavedPlan(pairs: pairs, seed: 0, grows: true)
        }
    }

    /// The versions before the old one, each a step from the next where the shelf says so.
    private func olderVersions(
        _ last: inout [Int: Double], _ random: inout RandomNumbers
    ) -> [FrozenProfile] {
        guard let shelf else { return [] }
        var level = 0.0
        var found: [FrozenProfile] = []
        // Back in time from the old version, whose level is 0.
        for index in 0..<shelf.versions {
            if let every = shelf.stepEvery, index % every == every - 1 {
                level += shelf.step(&random)
            }
            let side = side(level, wander: noise.wander, stalls: 0, &last, &random)
            let name = "\(shelf.versions - index)"
            var made = profile(side, &random)
            made.release = "v" + name
            made.date = "2026-01-01T00:\(name.count < 2 ? "0" : "")\(name):00Z"
            found.append(made)
        }
        return found
    }

    private func comparison(
        _ old: Side, _ new: Side, _ older: [FrozenProfile], _ random: inout RandomNumbers
    ) -> Comparison {
        var settings = ComparisonSettings(gate: stages > 0 ? .stages : .total)
        settings.budgets.commandLine = [
            BudgetPolicy.Target(stage: nil, metric: .wall): budgetPercent,
            BudgetPolicy.Target(stage: nil, metric: .cpu): budgetPercent,
        ]
        if let plan = interleavedPlan { return interleaved(old, new, plan, settings) }
        var sides = [profile(old, &random), profile(new, &random)]
        (sides[0].release, sides[1].release) = ("old", "new")
        (sides[0].date, sides[1].date) = ("2026-01-02", "2026-01-03")
        if !older.isEmpty { settings.shelf = ShelfNoise(older, from: sides[0], to: sides[1]) }
        if case .sessions(_, let runs, let degrees) = plan, degrees > 0 {
            settings.ledger = ledger(sides[0], runs: runs, degrees: degrees, &random)
        }
        // Runs that slow down one after the other would only leave some out.
        settings.allowances = [ComparabilityKey.invalidSession.rawValue]
        return Comparison(from: sides[0], to: sides[1], settings: settings)
    }

    /// Looks as often as the plan says, until the runs decide.
    private func interleaved(
        _ old: Side, _ new: Side, _ plan: InterleavedPlan, _ settings: ComparisonSettings
    ) -> Comparison {
        func first(_ count: Int, of side: Side) -> FrozenProfile {
            func cut(_ metrics: [[[Double]]]) -> [[[Double]]] {
                metrics.map { $0.map { Array($0.prefix(count)) } }
            }
            return profile(cut(side.total), stages: side.stages.map(cut))
        }
        var latest: Comparison?
        for look in plan.looks {
            let comparison = Comparison(
                interleaved: first(look.pairs, of: old), with: first(look.pairs, of: new), plan: plan,
                look: look,
                settings: settings)
            if comparison.isDecided { return comparison }
            latest = comparison
        }
        return latest
            ?? Comparison(
                interleaved: first(plan.pairs, of: old), with: first(plan.pairs, of: new), settings: settings)
    }

    private func profile(_ side: Side, _ random: inout RandomNumbers) -> FrozenProfile {
        var made = profile(side.total, stages: side.stages)
        guard !ignoresDrift else { return made }
        for session in made.sessions.indices {
            made.sessions[session].canaries = [noise.canary(side.speeds[session], &random)]
        }
        return made
    }

    /// What earlier sessions of the same noise would have reported.
    private func ledger(
        _ profile: FrozenProfile, runs: Int, degrees: Int, _ random: inout RandomNumbers
    ) -> NoiseLedger {
        var ledger = NoiseLedger(
            file: "simulated", machine: MachineClass(facts: [:]), workload: Workload(profile))
        var earlier = self
        earlier.plan = .sessions(degrees + 1, runs: runs, ledger: 0)
        earlier.stages = 0
        var last: [Int: Double] = [:]
        let side = earlier.side(0, wander: ledgerWander ?? noise.wander, stalls: 0, &last, &random)
        ledger.learn(from: earlier.profile(side, &random), date: "")
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
    private var refusals = 0
    private var runs = 0

    init(comparisons: Int) {
        self.comparisons = comparisons
    }

    mutating func count(_ calls: Calls) {
        verdicts[calls.ours, default: 0] += 1
        if calls.benchstat { benchstatCalls += 1 }
        if calls.fixedPercent { fixedCalls += 1 }
        if calls.isRefused { refusals += 1 }
        runs += calls.runsPerSide
        if let isCovered = calls.isCovered {
            statements += 1
            if !isCovered { misses += 1 }
        }
    }

    /// In how many bounds were claimed for the family, and in how many of these a true change lay outside.
    public private(set) var statements = 0
    public private(set) var misses = 0

    /// How many comparisons got a verdict of ours.
    public func number(_ verdict: Verdict) -> Int { verdicts[verdict] ?? 0 }
    /// In how many benchstat's rule calls a metric slower.
    public var benchstat: Int { benchstatCalls }
    /// In how many a metric's median is more than 5 % up.
    public var fixedPercent: Int { fixedCalls }

    /// How many were refused because the machines were too different.
    public var refused: Int { refusals }
    /// The runs a side that a comparison took on average.
    public var meanRuns: Double { Double(runs) / Double(comparisons) }

    /// A number of comparisons in percent of all.
    public func percent(_ number: Int) -> Double { 100 * Double(number) / Double(comparisons) }
}
