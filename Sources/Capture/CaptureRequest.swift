public import FrozenProfile
internal import Measurement
internal import StackRecording

/// What a capture was asked to do.
public struct CaptureRequest: Sendable {
    /// Which sampler takes the stacks.
    public enum Sampler: String, Sendable, CaseIterable {
        /// Our own, and py-spy's picture beside where the target is Python and py-spy is there.
        case automatic = "auto"
        /// Our own alone.
        case native
        /// As ``automatic``, where py-spy's picture is expected: a note says so when it is missing.
        case pySpy = "py-spy"
        /// No stacks.
        case none
    }

    /// The release the profile is of.
    public var version: VersionName
    /// The version of the tool that takes it.
    public var toolVersion: String
    /// What the pipeline was run on; nil if not given.
    public var datasetID: String?
    /// The command, with `{output_dir}` where the run's output directory belongs.
    public var command: [String]
    /// The YAML file to write; nil for the version's own place in `data/profiles`.
    public var output: String?
    /// Variables of the environment that belong to the recipe, besides those that differ from a login's.
    public var environmentNames: [String] = []
    /// A directory that every run writes to; nil for a fresh one each.
    public var fixedOutputDirectory: String?
    /// Where the pipeline writes its status, with `{output_dir}` for the run's directory; nil for a file in it.
    public var statusFile: String?
    /// The pipeline's configuration, digested into the profile; nil where it has none.
    public var configurationFile: String?
    /// A file that is given anew to each run as its standard input; nil for an empty one.
    public var standardInput: String?
    public var showsMonitor = false
    /// Unmeasured first runs, which fill caches.
    public var warmUpRuns = 1
    /// Measured runs: without a sampler, so that their times count.
    public var measuredRuns = 1
    /// Runs whose stacks are sampled.
    public var profiledRuns = 1
    /// Runs whose executed instructions are counted.
    public var countedRuns = 0
    /// What is counted in place of the command, where that would take too long; nil for the command itself.
    public var countCommand: [String]?
    /// How long a counted run may take; nil for any time.
    public var countLimit: Duration?
    /// The only engine that may count, by its name; nil for the first that this machine has.
    public var countEngine: String?
    /// How many runs at most are made in place of disturbed ones.
    public var repeatsOfDisturbed = 0
    /// How often each canary's work is done at the session's start, middle and end; 0 for no canaries, nil where the
    /// length of the runs decides.
    public var canaryRepetitions: Int?
    /// The session that the runs belong to; nil for `s1`, or the next one when appending.
    public var session: VersionName?
    /// Whether the session is added to a profile that is frozen already.
    public var appends = false
    /// Where run records are kept, in a directory for each session; nil for `.records/<VERSION>` beside the profile.
    public var recordsDirectory: String?
    /// Whether processes that outlive a run are left running instead of ended before the next one.
    public var leavesRunning = false
    public var writesStageTruth = true
    public var overwrites = false
    public var sampler = Sampler.automatic
    /// The time between the monitor's ticks.
    public var monitorInterval = Duration.milliseconds(500)
    /// Stack samples per CPU second, in hertz; nil for the sampler's own default.
    public var sampleRateHertz: Int?

    /// Whether values of the command that look like secrets are left out of all that is stored, drawn or printed.
    public var redactsSecrets = true

    /// The command line by which the same capture is continued, ready for a shell.
    public var continuation = ""

    /// A request to freeze a command's profile as a version.
    public init(version: VersionName, command: [String], toolVersion: String) {
        self.version = version
        self.command = command
        self.toolVersion = toolVersion
    }

    /// Where frozen profiles live unless `output` says otherwise.
    public static let defaultDirectory = "data/profiles"
}

extension CaptureRequest.Sampler {
    /// Who takes the stacks, or why none does: decided before a run is made for nothing.
    var recording: Reading<RecordingSampler> {
        switch self {
        case .automatic: .value(.automatic)
        case .native: .value(.native)
        // A capture's stacks are always our own: they know their stage. py-spy's picture lies beside.
        case .pySpy: .value(.automatic)
        case .none: .unavailable(reason: "not asked for")
        }
    }
}
