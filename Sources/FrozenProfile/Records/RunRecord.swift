public import Measurement

/// One run of a pipeline, complete in itself: what profiles are made of.
///
/// A record can be made by any process on any machine, and frozen by another. `docs/formats/run-record.md` describes every
/// key of the file. Its stacks and its log lie beside it; the record has their digests.
public struct RunRecord: Equatable, Sendable {
    /// What the key `schema` of every record says.
    public static let schemaName = "freeze-profile.run-record"
    /// The schema that is written. Records of other minor versions are read; a newer major version is refused.
    public static let schemaVersion = SchemaVersion(major: 1, minor: 2)
    /// The most bytes of a record that are read.
    public static let maximumBytes = 64 << 20

    /// What the live monitor did while it watched.
    public struct Monitor: Equatable, Sendable {
        public var cpuSeconds: Reading<Double>
        public var peakResidentMB: Reading<Double>
        public var ticks: Int
        /// Lines of its log; unavailable when there is none.
        public var logLines: Reading<Int>
        /// Lines that could not be written.
        public var lostLogLines: Int
        /// The time between two ticks, in seconds.
        public var intervalSeconds = Reading<Double>.unavailable(reason: "not recorded")

        /// An account of the monitor.
        public init(
            cpuSeconds: Reading<Double>, peakResidentMB: Reading<Double>, ticks: Int, logLines: Reading<Int>,
            lostLogLines: Int
        ) {
            self.cpuSeconds = cpuSeconds
            self.peakResidentMB = peakResidentMB
            self.ticks = ticks
            self.logLines = logLines
            self.lostLogLines = lostLogLines
        }
    }

    /// The version of the tool that made it.
    public var toolVersion: String
    /// The release it is of, where one was given.
    public var release: Reading<String>
    /// The session it belongs to: a fresh start of a batch of runs.
    public var session: VersionName
    /// The run itself: its place in the session's order, its kind, what it and its stages used.
    public var run: Run
    public var recipe: Recipe
    /// The variables with which the session of the terminal or of the build server's job began, as in the recipe; nil where they
    /// are not recorded.
    public var loginEnvironment: [Recipe.Variable]?
    /// The file name of the program that ran in the end, after any wrapper's exec.
    public var program: Reading<String>
    /// Where a scheduler had it made; nil for a run without a scheduler.
    public var place: SessionPlace?
    public var datasetID: Reading<String>
    public var episodesProcessed: Reading<Int>
    public var identity: EnvironmentIdentity
    /// Nil for a run that was not watched.
    public var monitor: Monitor?
    /// What became of the samples; `none` with the reason for a run without.
    public var sampler: CaptureQuality.Sampler
    /// CPU seconds that the sampler used.
    public var samplerCPUSeconds: Reading<Double>
    /// When stages began and ended, in order of time, at most ``StageTruth/maximumTransitions``.
    public var transitions: [StageTruth.Transition] = []
    /// Further transitions, counted.
    public var transitionsLeftOut = 0
    /// Stages that were open when a failed run ended, and where what it wrote was left, if anywhere.
    public var openStages: [StageName] = []
    public var leftOutput: String?
    /// The files beside it: ``CompanionKind/stacks``, ``CompanionKind/monitorLog``, and of a failed run its
    /// ``OutputFile``s.
    public var files: [Companion] = []
    /// The nodes that its tasks were at work on; empty for a run on one machine.
    public var nodes: [Node] = []
    /// Fixed work that was timed just before this run, or after the session's last.
    public var canaries: [Canary] = []
    /// What a counted run executed; nil for other runs.
    public var counts: FrozenCounts?
    /// Sentences about what else a reader should know.
    public var notes: [String] = []

    /// The record of a run.
    public init(
        toolVersion: String, release: Reading<String>, session: VersionName, run: Run, recipe: Recipe,
        program: Reading<String>, datasetID: Reading<String>, episodesProcessed: Reading<Int>,
        identity: EnvironmentIdentity, monitor: Monitor?, sampler: CaptureQuality.Sampler,
        samplerCPUSeconds: Reading<Double>
    ) {
        self.toolVersion = toolVersion
        self.release = release
        self.session = session
        self.run = run
        self.recipe = recipe
        self.program = program
        self.datasetID = datasetID
        self.episodesProcessed = episodesProcessed
        self.identity = identity
        self.monitor = monitor
        self.sampler = sampler
        self.samplerCPUSeconds = samplerCPUSeconds
    }

    /// The run's name in labels and messages, as `SESSION/INDEX`: `s1/4`.
    public var name: String { "\(session)/\(run.index)" }

    /// The name of its file without an ending, such as `004-profiled`: sorted as the runs were made.
    public var stem: String { RunRecord.stem(index: run.index, kind: run.kind) }

    /// The name of a run's files without an ending.
    public static func stem(index: Int, kind: RunKind) -> String {
        "\(index.zeroPadded(to: 3))-\(kind.rawValue)"
    }

    /// What a failed run printed, kept beside its record.
    public enum OutputFile: String, CaseIterable, Sendable {
        case standardOutput = "standard_output"
        case standardError = "standard_error"

        /// What follows the record's stem in the file's name.
        public var suffix: String { self == .standardOutput ? ".stdout.log" : ".stderr.log" }
    }

    /// The file beside it of a kind.
    public func file(_ kind: OutputFile) -> Companion? { files.first { $0.kind == kind.rawValue } }

    /// The file beside it of a kind.
    public func file(_ kind: CompanionKind) -> Companion? { files.first { $0.kind == kind.rawValue } }
}
