public import Measurement

/// How to make the same measurement again.
public struct Recipe: Equatable, Sendable {
    /// A variable of the environment that the pipeline was given.
    public struct Variable: Equatable, Sendable {
        public var name: String
        public var value: String

        /// What stands in place of a digest for a variable that is named and not set.
        public static let unset = "not set"

        /// A variable.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A file that each run reads as its standard input.
    public struct StandardInput: Equatable, Sendable {
        public var path: String
        /// The digest of its content, as 64 hexadecimal digits.
        public var sha256: Reading<String>

        /// A file with its digest.
        public init(path: String, sha256: Reading<String>) {
            self.path = path
            self.sha256 = sha256
        }
    }

    /// The command with its placeholders, such as `{output_dir}`, free of paths of this machine where possible.
    public var arguments: [String]
    /// The configuration file, nil when there is none.
    public var configurationPath: String?
    public var configurationSHA256: Reading<String>
    /// The digest of what the pipeline worked on.
    public var inputSHA256: Reading<String>
    /// What each run reads as its standard input; nil where that is empty.
    public var standardInput: StandardInput?
    /// Variables that the user named, or that differ from those of a login, each with the digest of its value, in order of name.
    public var environment: [Variable]

    /// The texts of ``environment`` by name.
    public var variables: [String: String] {
        Dictionary(environment.map { ($0.name, $0.value) }) { first, _ in first }
    }

    /// A recipe.
    public init(
        arguments: [String], configurationPath: String?, configurationSHA256: Reading<String>,
        inputSHA256: Reading<String>, environment: [Variable]
    ) {
        self.arguments = arguments
        self.configurationPath = configurationPath
        self.configurationSHA256 = configurationSHA256
        self.inputSHA256 = inputSHA256
        self.environment = environment
    }
}

extension Recipe {
    /// What runs are compared by: the digest of their standard input, or `empty`.
    var standardInputDigest: Reading<String> { standardInput?.sha256 ?? .value("empty") }
}

/// How far stacks and times can be trusted.
public struct CaptureQuality: Equatable, Sendable {
    /// What took the stacks, and what became of each attempt.
    public struct Sampler: Equatable, Sendable {
        /// `py-spy`, `perf cpu-clock`, `ptrace` or `none`.
        public var name: String
        /// Why this one and no other; nil when it is the first choice.
        public var reason: String?
        public var rateHz: Reading<Double>
        public var attempted: Reading<Int>
        public var recorded: Reading<Int>
        public var lost: Reading<Int>
        public var truncated: Reading<Int>
        public var unwindFailed: Reading<Int>
        /// Frames without a function's name, in percent of all.
        public var unknownFramesPercent: Reading<Double>
        /// What became of the Python functions of stacks; nil where nothing ran Python, or nothing of our own sampled it.
        public var python: PythonStacks?

        /// Stacks of threads that ran Python.
        public struct PythonStacks: Equatable, Sendable {
            /// With their Python functions, shown to be those of the sample's moment.
            public var proven: Int
            /// Whose Python functions were not read, or so late that the thread may have gone on.
            public var unproven: Int
            /// Whose Python functions could not be read.
            public var failed: Int

            /// Counts of stacks.
            public init(proven: Int, unproven: Int, failed: Int) {
                self.proven = proven
                self.unproven = unproven
                self.failed = failed
            }

            /// The counts, to follow "Python functions".
            public var summary: String {
                "of \(proven) of \(proven + unproven + failed) stacks"
                    + (unproven > 0 ? ", \(unproven) not read in time" : "")
                    + (failed > 0 ? ", \(failed) not readable" : "")
            }
        }

        /// A sampler's account.
        public init(
            name: String, reason: String?, rateHz: Reading<Double>, attempted: Reading<Int>,
            recorded: Reading<Int>, lost: Reading<Int>, truncated: Reading<Int>, unwindFailed: Reading<Int>,
            unknownFramesPercent: Reading<Double>, python: PythonStacks? = nil
        ) {
            self.name = name
            self.reason = reason
            self.rateHz = rateHz
            self.attempted = attempted
            self.recorded = recorded
            self.lost = lost
            self.truncated = truncated
            self.unwindFailed = unwindFailed
            self.unknownFramesPercent = unknownFramesPercent
            self.python = python
        }

        /// No stacks were taken, for a reason.
        public static func none(reason: String) -> Sampler {
            Sampler(
                name: "none", reason: reason, rateHz: .unavailable(reason: reason),
                attempted: .unavailable(reason: reason), recorded: .unavailable(reason: reason),
                lost: .unavailable(reason: reason), truncated: .unavailable(reason: reason),
                unwindFailed: .unavailable(reason: reason), unknownFramesPercent: .unavailable(reason: reason)
            )
        }
    }

    /// What our own processes did in one run.
    public struct RunHealth: Equatable, Sendable {
        /// Which run, as `SESSION/INDEX`: `s1/4`.
        public var run: String
        /// CPU seconds that the monitor used; nil for a run without one.
        public var monitorCPUSeconds: Reading<Double>?
        /// What became of the samples; nil for a run without a sampler.
        public var sampler: Sampler?
        /// CPU seconds that the sampler used; nil for a run without one.
        public var samplerCPUSeconds: Reading<Double>?

        /// An account of one run.
        public init(
            run: String, monitorCPUSeconds: Reading<Double>?, sampler: Sampler?,
            samplerCPUSeconds: Reading<Double>?
        ) {
            self.run = run
            self.monitorCPUSeconds = monitorCPUSeconds
            self.sampler = sampler
            self.samplerCPUSeconds = samplerCPUSeconds
        }
    }

    /// How many runs of each kind were begun and ended well; empty where not recorded.
    public var attempts: [RunKind: RunAttempts] = [:]
    /// The account over all profiled runs.
    public var sampler: Sampler
    /// The median wall time of profiled runs by that of measured runs; 1 is no slow-down.
    public var profiledOverMeasuredWall: Reading<Double>
    /// CPU seconds that the monitor used in a measured run: the median.
    public var monitorCPUSeconds: Reading<Double>
    /// CPU seconds that the sampler used in a profiled run: the median.
    public var samplerCPUSeconds: Reading<Double>
    /// Sentences about what else a reader should know.
    public var notes: [String]
    /// Each run that was watched or sampled by itself.
    public var runs: [RunHealth]
    /// What a list of versions says of the runs, without reading them; nil in a profile that says nothing of it.
    public var review: Review?

    /// What the runs say about how far they can be trusted, as it was found when the profile was frozen.
    public struct Review: Equatable, Sendable {
        public var sessions: Int
        /// Runs that count although something disturbed them.
        public var disturbedRuns: Int
        /// What was noticed, each kind once: see ``NoiseReview/Kind``.
        public var findings: [String]

        /// A review.
        public init(sessions: Int, disturbedRuns: Int, findings: [String]) {
            self.sessions = sessions
            self.disturbedRuns = disturbedRuns
            self.findings = findings
        }
    }

    /// An account of a capture.
    public init(
        sampler: Sampler, profiledOverMeasuredWall: Reading<Double>, monitorCPUSeconds: Reading<Double>,
        samplerCPUSeconds: Reading<Double>, notes: [String], runs: [RunHealth] = []
    ) {
        self.sampler = sampler
        self.profiledOverMeasuredWall = profiledOverMeasuredWall
        self.monitorCPUSeconds = monitorCPUSeconds
        self.samplerCPUSeconds = samplerCPUSeconds
        self.notes = notes
        self.runs = runs
    }
}

/// A file that belongs to a frozen profile.
public struct Companion: Equatable, Sendable {
    /// What it is, such as `stage_truth`; see ``CompanionKind``.
    public var kind: String
    /// Its name, in the directory of the profile.
    public var file: String
    public var sha256: String
    public var bytes: Int64

    /// A companion.
    public init(kind: String, file: String, sha256: String, bytes: Int64) {
        self.kind = kind
        self.file = file
        self.sha256 = sha256
        self.bytes = bytes
    }
}

/// The files that may lie beside a frozen profile.
public enum CompanionKind: String, CaseIterable, Sendable {
    case stageTruth = "stage_truth"
    case monitorLog = "monitor_log"
    case flamegraph
    /// Stacks in pprof's format.
    case stacks
    /// Stacks as folded text.
    case foldedStacks = "folded_stacks"
    /// Executed instructions by stage and function, in pprof's format.
    case counts
    /// What py-spy saw beside our own sampler.
    case pySpyFlamegraph = "py_spy_flamegraph"
    /// The raw values of every run, where they are too many for the profile's own text.
    case runs

    /// What follows the version in the file's name.
    public var suffix: String {
        switch self {
        case .stageTruth: ".stage_truth.json"
        case .monitorLog: ".monitor.log"
        case .flamegraph: ".flamegraph.svg"
        case .stacks: ".stacks.pb.gz"
        case .foldedStacks: ".stacks.folded"
        case .counts: ".counts.pb.gz"
        case .pySpyFlamegraph: ".py-spy.svg"
        case .runs: ".runs.jsonl.gz"
        }
    }
}
