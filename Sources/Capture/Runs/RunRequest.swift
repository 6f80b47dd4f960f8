public import FrozenProfile
public import InstructionCounting
public import Measurement

/// What one run is to be.
public struct RunRequest: Sendable {
    /// The version of the tool that makes it.
    public var toolVersion: String
    /// The release it is of; nil where that is said only when its record is frozen.
    public var release: VersionName?
    /// The command, with `{output_dir}` where the run's output directory belongs.
    public var command: [String]
    public var kind: RunKind
    /// The session the run belongs to: a fresh start of a batch of runs.
    public var session: VersionName
    /// The place in the session's order, from 1, warm-up runs counted.
    public var index: Int
    /// What the pipeline runs on; nil if not given.
    public var datasetID: String?
    /// The pipeline's configuration, digested into the record; nil where it has none.
    public var configurationFile: String?
    /// A file that the run reads as its standard input; nil for an empty one.
    public var standardInput: String?
    /// A directory that the run writes to; nil for a fresh one.
    public var fixedOutputDirectory: String?
    /// Variables of the environment that belong to the recipe, besides those that differ from a login's.
    public var environmentNames: [String] = []
    /// Where the command is started, and where its source is looked for; nil for our own working directory.
    public var workingDirectory: String?
    /// Where the pipeline writes its status, with `{output_dir}` for the run's directory; nil for a file in it.
    public var statusFile: String?
    /// Who takes the stacks of a profiled run.
    public var sampler = CaptureRequest.Sampler.automatic
    /// Stack samples per CPU second, in hertz; nil for the sampler's own default.
    public var sampleRateHertz: Int?
    /// The time between the monitor's ticks.
    public var monitorInterval = Duration.milliseconds(500)
    /// Whether the monitor may draw its panel or print progress lines.
    public var showsMonitor = false

    /// Whether processes that outlive the command are left running instead of ended.
    public var leavesRunning = false

    /// Who counts the instructions of a counted run, or why none does.
    public var countingEngine = Reading<any CountingEngine>.unavailable(reason: "no engine was asked for")
    /// What is to be said of the engines that could not count it, as sentences.
    public var countingNotes: [String] = []
    /// What is counted in place of the command, nil for the command itself.
    public var countCommand: [String]?
    /// How long a counted run may take; nil for any time.
    public var countLimit: Duration?

    /// Fixed work that was timed just before the run, for its record.
    public var canaries: [Canary] = []
    /// Whether values of the command that look like secrets are left out of all that is stored, drawn or printed.
    public var redactsSecrets = true
    /// Whether a record is kept of a run that fails, and what it wrote.
    public var keepsFailures = false
    /// Whether, should the run turn out to be disturbed, another is made in its place.
    public var repeatsIfDisturbed = false

    /// A run of a command.
    public init(
        _ command: [String], kind: RunKind, session: VersionName, index: Int, toolVersion: String
    ) {
        self.command = command
        self.kind = kind
        self.session = session
        self.index = index
        self.toolVersion = toolVersion
    }
}

/// A run that was made: its record, and where that is.
public struct MadeRun: Sendable {
    public var record: RunRecord
    /// The record's file; the run's other files lie beside it.
    public var path: String
    /// A sentence about processes that outlived the run; nil where none did.
    public var leftBehind: String?
}
