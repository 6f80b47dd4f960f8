internal import Capture
internal import FrozenProfile
internal import InstructionCounting
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison

/// Builds commits, each at most once, runs them as often as needed, and keeps the records of their runs.
struct CommitBench: ~Copyable {
    /// Why a commit cannot be measured.
    struct Obstacle: Equatable {
        /// After "the commit": `does not build: it exited with code 2`.
        var reason: String
        var lastLines: [String] = []
        /// Whether it builds and runs, and only its instructions cannot be counted.
        var isOfCounting = false

        /// What cannot be counted, with a sentence that says why.
        static func notCounted(_ sentence: String) -> Obstacle {
            Obstacle(reason: "cannot be counted: \(sentence)", isOfCounting: true)
        }
    }

    let request: BlameRequest
    let line: CommitLine
    let history: GitHistory
    let engine: Reading<any CountingEngine>
    private let store: BlameStore
    /// Before the maker of runs, and so removed before requests to end are let through again.
    private var worktrees: Worktrees
    private let maker: RunMaker
    private let report: (String) -> Void
    private var built: [Int: Obstacle?] = [:]
    private var warmed: Set<Int> = []
    private var descriptions: [Int: CommitDescription] = [:]

    /// How many builds were made.
    private(set) var builds = 0
    /// Commits whose kept runs were used.
    private(set) var reused: Set<Int> = []

    init(
        _ request: BlameRequest, line: CommitLine, history: GitHistory, engine: Reading<any CountingEngine>,
        report: @escaping (String) -> Void
    ) throws(CaptureError) {
        let identity =
            [history.top, history.prefix, request.build, engine.value?.identity ?? "", request.toolVersion]
            + request.command
        let store = try BlameStore(request.directory, identity: identity)
        let maker = try RunMaker()
        let worktrees = try Worktrees(repository: history.top)
        self.request = request
        self.line = line
        self.history = history
        self.engine = engine
        self.report = report
        self.store = store
        self.maker = maker
        self.worktrees = worktrees
    }

    /// Where records are kept.
    var directory: String { store.path }

    /// Places of commits that are built.
    var builtPlaces: Set<Int> { Set(built.filter { $0.value == nil }.keys) }

    /// What git records of a commit.
    mutating func describe(_ place: Int) throws(CaptureError) -> CommitDescription {
        if let known = descriptions[place] { return known }
        let found = try history.describe(line.names[place])
        descriptions[place] = found
        return found
    }

    private mutating func note(_ place: Int, _ what: String) throws(CaptureError) {
        let about = try describe(place)
        report("\(about.shortName) (\(place) of \(line.count)) \(what): \(about.subject)")
    }

    // MARK: - Building

    /// Builds a commit; the obstacle where it does not build.
    mutating func build(_ place: Int) throws(CaptureError) -> Obstacle? {
        if let known = built[place] { return known }
        let commit = line.names[place]
        try note(place, "build")
        try worktrees.add(commit)
        try worktrees.enter(commit)
        builds += 1
        let result = try maker.run(request.build, in: directoryInTree)
        do throws(SystemError) {
            try Files.replace(store.log(commit), with: result.output)
        } catch {
            throw .cannotWrite(error.description)
        }
        guard let failure = result.failure else {
            built[place] = .some(nil)
            return nil
        }
        guard !result.isInterruption else {
            throw .targetFailed(
                FailedRun(run: "build", reason: failure, isInterruption: true, lastLines: []))
        }
        let obstacle = Obstacle(reason: "does not build: the command \(failure)", lastLines: result.lastLines)
        built[place] = .some(obstacle)
        report("\(commit.prefix(12)) \(obstacle.reason); its output is in '\(store.log(commit))'")
        try worktrees.remove(commit)
        return obstacle
    }

    /// Our own working directory, in the work tree that stands in its place.
    private var directoryInTree: String {
        let inside = history.prefix.isEmpty ? "" : "/" + history.prefix.dropLast()
        return worktrees.tree + inside
    }

    // MARK: - Running

    /// Makes a run of a commit that is built; the obstacle where it fails.
    private mutating func run(
        _ place: Int, _ kind: RunKind, index: Int, into directory: String
    ) throws(CaptureError) -> Obstacle? {
        try worktrees.enter(line.names[place])
        var command = request.command
        if let first = command.first, first.contains("/"), !first.hasPrefix("/") {
            command[0] = "\(directoryInTree)/\(first)"
        }
        var run: RunRequest
        do throws(ProfileError) {
            run = RunRequest(
                command, kind: kind, session: try VersionName("s1"), index: index,
                toolVersion: request.toolVersion)
        } catch {
            throw .measurementFailed(error.description)
        }
        run.workingDirectory = directoryInTree
        run.countingEngine = engine
        run.countLimit = request.countLimit
        do throws(CaptureError) {
            _ = try maker.make(run, into: directory)
            return nil
        } catch {
            guard !error.isInterruption else { throw error }
            switch error {
            case .targetFailed(let failed):
                return Obstacle(
                    reason: "does not run: the command \(failed.reason)", lastLines: failed.lastLines)
            case .cannotStart(let cause): return Obstacle(reason: "does not run: \(cause)")
            case .measurementFailed(let sentence) where kind == .counted:
                return .notCounted(sentence)
            case .measurementFailed(let sentence) where kind == .profiled:
                return Obstacle(reason: "cannot be profiled: \(sentence)")
            default: throw error
            }
        }
    }

    /// The first run after a build fills caches: programs compile modules then that later runs find.
    private mutating func warmUp(_ place: Int, into directory: String) throws(CaptureError) -> Obstacle? {
        guard warmed.insert(place).inserted else { return nil }
        let index = try KeptRuns(directory: directory).nextIndex
        return try run(place, .warmUp, index: index, into: directory)
    }

    /// Counts what a commit executes.
    mutating func count(_ place: Int) throws(CaptureError) -> Counted {
        let directory = store.counted(line.names[place])
        var kept = try KeptRuns(directory: directory)
        if kept.count(.counted) >= request.countRuns {
            reused.insert(place)
        } else {
            if let obstacle = try build(place) { return .obstacle(obstacle) }
            try store.prepare(directory)
            if let obstacle = try warmUp(place, into: directory) { return .obstacle(obstacle) }
            kept = try KeptRuns(directory: directory)
        }
        while kept.count(.counted) < request.countRuns {
            try note(place, "counted run \(kept.count(.counted) + 1) of \(request.countRuns)")
            if let obstacle = try run(place, .counted, index: kept.nextIndex, into: directory) {
                return .obstacle(obstacle)
            }
            kept = try KeptRuns(directory: directory)
        }
        switch kept.counts {
        case .value(let counts): return .counts(counts)
        case .unavailable(let reason): return .obstacle(.notCounted(reason))
        }
    }

    /// What a commit executes, or why that is not known.
    enum Counted {
        case counts(FrozenCounts)
        case obstacle(Obstacle)
    }

    /// The counts of two commits side by side, with the functions in which they differ.
    func comparison(_ from: Int, _ to: Int, _ older: FrozenCounts, _ newer: FrozenCounts) throws(CaptureError)
        -> CountedComparison
    {
        var comparison = CountedComparison(older, newer, budgetPercent: request.countBudgetPercent)
        let before = try KeptRuns(directory: store.counted(line.names[from])).functions
        let after = try KeptRuns(directory: store.counted(line.names[to])).functions
        if let before = before.value, let after = after.value {
            comparison.explain(from: before, to: after)
        } else if let reason = before.unavailableReason ?? after.unavailableReason {
            comparison.notes.append("Functions are not known: \(reason).")
        }
        return comparison
    }

    /// The runs that were made of two commits in turn; empty where none were.
    func keptPairs(
        _ from: Int, _ to: Int, _ kind: RunKind = .measured
    ) throws(CaptureError) -> PairedRuns {
        let kept = try keptRuns(from, to)
        let older = kept.from.records.filter { $0.run.kind == kind }
        let newer = kept.to.records.filter { $0.run.kind == kind }
        let whole = min(older.count, newer.count)
        return PairedRuns(from: Array(older.prefix(whole)), to: Array(newer.prefix(whole)))
    }

    /// All runs of two commits that were made in turn.
    func keptRuns(_ from: Int, _ to: Int) throws(CaptureError) -> (from: KeptRuns, to: KeptRuns) {
        let (a, b) = pairDirectories(from, to)
        return (try KeptRuns(directory: a), try KeptRuns(directory: b))
    }

    private func pairDirectories(_ from: Int, _ to: Int) -> (String, String) {
        let (one, other) = (line.names[from], line.names[to])
        return (store.pairs(one, other, "a"), store.pairs(one, other, "b"))
    }

    /// Runs two commits in turn until there are so many pairs; the obstacle, and the place that has it, where one fails.
    mutating func pairs(
        _ from: Int, _ to: Int, count: Int, _ kind: RunKind = .measured
    ) throws(CaptureError) -> Paired {
        var kept = try keptPairs(from, to, kind)
        guard kept.count < count else { return .runs(kept) }
        let (a, b) = pairDirectories(from, to)
        for place in [from, to] {
            if let obstacle = try build(place) { return .obstacle(place, obstacle) }
        }
        try store.prepare(a)
        try store.prepare(b)
        for (place, directory) in [(from, a), (to, b)] {
            if let obstacle = try warmUp(place, into: directory) { return .obstacle(place, obstacle) }
        }
        let plan = InterleavedPlan(pairs: count, seed: request.seed &+ UInt64(from &* 4099 &+ to))
        while kept.count < count {
            let pair = kept.count + 1
            let what = kind == .profiled ? "profiled pair" : "pair"
            try note(to, "\(what) \(pair) of \(count) with \(line.names[from].prefix(12))")
            for step in plan.steps where step.pair == pair {
                let (place, directory) = step.command == .a ? (from, a) : (to, b)
                // Half a pair that was interrupted is completed, not repeated.
                let runs = try KeptRuns(directory: directory)
                if runs.count(kind) >= pair { continue }
                if let obstacle = try run(place, kind, index: runs.nextIndex, into: directory) {
                    return .obstacle(place, obstacle)
                }
            }
            kept = try keptPairs(from, to, kind)
        }
        return .runs(kept)
    }

    /// Runs of two commits in turn, or which of them failed.
    enum Paired {
        case runs(PairedRuns)
        case obstacle(Int, Obstacle)
    }
}

/// Runs of two commits in turn; the n-th of each are a pair.
struct PairedRuns {
    var from: [RunRecord]
    var to: [RunRecord]

    var count: Int { from.count }

    /// What each run used of a metric in a stage, nil for the whole run; pairs of which one has no value are left out.
    func values(_ metric: Metric, _ stage: StageName?) -> [(from: Double, to: Double)] {
        func value(_ record: RunRecord) -> Double? {
            guard let stage else { return record.run.use[metric].value }
            return record.run.stages.first { $0.stage == stage }?.use[metric].value
        }
        return zip(from, to).compactMap { older, newer in
            guard let a = value(older), let b = value(newer), a > 0, b > 0 else { return nil }
            return (a, b)
        }
    }

    /// The logarithm of the new by the old of each pair that has ``values(_:_:)``.
    func logarithms(_ metric: Metric, _ stage: StageName?) -> [Double] {
        values(metric, stage).map { Logarithm.natural($0.to / $0.from) }
    }
}
