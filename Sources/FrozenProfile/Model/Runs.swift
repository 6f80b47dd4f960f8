public import Measurement

/// What one run of the pipeline used in one stage.
public struct StageRun: Equatable, Sendable {
    public var stage: StageName
    /// How many spans of the stage ended.
    public var entered: Reading<Int>
    /// The sum of the spans' durations in seconds: more than the wall time where they overlapped.
    public var workSeconds: Reading<Double>
    public var use: ResourceUse
    /// Whether another stage was active during it, so that CPU time and memory are those of both.
    public var isShared: Bool
    /// Where its edges come from, such as `event trace`; nil where not recorded. Kept in run records only.
    public var source: String?
    /// How its peak of memory was found: `high-water mark` or `sampled`. Kept in run records only.
    public var peakMethod: String?

    /// A stage of a run.
    public init(
        stage: StageName, entered: Reading<Int>, workSeconds: Reading<Double>, use: ResourceUse,
        isShared: Bool = false, source: String? = nil, peakMethod: String? = nil
    ) {
        self.stage = stage
        self.entered = entered
        self.workSeconds = workSeconds
        self.use = use
        self.isShared = isShared
        self.source = source
        self.peakMethod = peakMethod
    }
}

/// What a run was made for.
public enum RunKind: String, CaseIterable, Sendable {
    /// Fills caches before measuring; never counted.
    case warmUp = "warm_up"
    /// Timed without a sampler: what summaries are made of.
    case measured
    /// Stacks were sampled, so its times are not counted.
    case profiled
    /// Executed instructions were counted, so its times are not.
    case counted
}

/// One run of the pipeline, from start to exit.
public struct Run: Equatable, Sendable {
    /// The place in the session's order, from 1, warm-up runs counted.
    public var index: Int
    public var kind: RunKind
    /// When the process started, nil where not recorded.
    public var startedAt: String?
    /// The exit code as a shell reports it: 128 and the signal's number for a killed process.
    public var exit: Reading<Int>
    public var use: ResourceUse
    /// Stages in order of first entry, each once.
    public var stages: [StageRun]
    /// Why it is no measurement; nil for a run that ended well.
    public var failure: RunFailure?
    /// The state of the machine when it began; nil where not recorded. Kept in run records only: a profile has that of
    /// each session's first run.
    public var observed: ObservedEnvironment?
    /// By how many seconds the wall clock was set while it ran, beyond a tenth of one; nil where it was not. Durations
    /// come from a clock that is never set.
    public var wallClockStepSeconds: Double?
    /// The digest of what the pipeline produced, where it declares one.
    public var outputDigest: String?
    /// The machine during it, nil where not recorded.
    public var surroundings: RunEnvironment?
    /// Why the machine was not its own, as a phrase; nil for a run that nothing is known to have disturbed.
    public var disturbance: String?
    /// Whether another run was made in its place because it was disturbed: it is kept, and does not count.
    public var isRepeated = false

    /// A run.
    public init(
        index: Int, kind: RunKind, startedAt: String?, exit: Reading<Int>, use: ResourceUse,
        stages: [StageRun]
    ) {
        self.index = index
        self.kind = kind
        self.startedAt = startedAt
        self.exit = exit
        self.use = use
        self.stages = stages
    }

    /// Whether it did not end well, or was ended.
    public var hasFailed: Bool { failure != nil || exit.value ?? 0 != 0 }

    /// Where a stage stands among its stages, nil when it was not entered.
    ///
    /// - Parameter near: Where it is looked for first: mostly it is there where it was in another run.
    public func place(of stage: StageName, near: Int = 0) -> Int? {
        if near < stages.count, stages[near].stage == stage { return near }
        return stages.firstIndex { $0.stage == stage }
    }

    /// Whether summaries count it: measured, not known to have failed, and not repeated.
    public var counts: Bool { kind == .measured && !hasFailed && !isRepeated }
}

/// Why a run is no measurement: it is kept to be looked at, and counted as an attempt.
public struct RunFailure: Equatable, Sendable {
    /// What happened, as a phrase after the run's name: `exited with code 3`; of an interruption, by what:
    /// `signal 15 (Terminated)`.
    public var reason: String
    /// Whether it ended because the capture was interrupted, which says nothing about the pipeline: then it is no attempt.
    public var isInterruption: Bool

    /// A failure.
    public init(_ reason: String, isInterruption: Bool = false) {
        self.reason = reason
        self.isInterruption = isInterruption
    }
}

/// A fresh start of a batch of runs: the replicate of a comparison across time.
public struct Session: Equatable, Sendable {
    /// A name unique within the profile.
    public var id: String
    /// When it began, nil where not recorded.
    public var startedAt: String?
    /// The state of the machine when it began.
    public var observed: ObservedEnvironment
    /// Runs in the order in which they were made.
    public var runs: [Run]
    /// Fixed work timed at its start, middle and end: how fast the machine was.
    public var canaries: [Canary] = []
    /// Where a scheduler had it made; nil without a scheduler.
    public var place: SessionPlace?

    /// A session.
    public init(id: String, startedAt: String?, observed: ObservedEnvironment, runs: [Run]) {
        self.id = id
        self.startedAt = startedAt
        self.observed = observed
        self.runs = runs
    }
}
