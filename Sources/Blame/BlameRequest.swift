public import FrozenProfile
public import Measurement
public import ProfileComparison

/// What to search for the commits that changed what a program costs.
public struct BlameRequest: Sendable {
    /// What decides whether a commit changed anything.
    public enum Basis: String, CaseIterable, Sendable {
        /// Counted instructions where they changed between the ends, else time.
        case automatic = "auto"
        case counts
        case time
    }

    /// One end of the commits.
    public struct End: Sendable {
        /// What the user called it.
        public var name: String
        /// A revision for git.
        public var revision: String
        /// What was counted when it was frozen; nil where it was not.
        public var frozen: FrozenProfile?

        /// An end.
        public init(name: String, revision: String, frozen: FrozenProfile? = nil) {
            self.name = name
            self.revision = revision
            self.frozen = frozen
        }
    }

    public var from: End
    public var to: End
    /// The only stage that is searched for; nil for all and the whole run.
    public var stage: StageName?
    /// A shell's command line that builds a commit in its work tree.
    public var build: String
    /// The command that is measured there, with `{output_dir}` where the run's output directory belongs.
    public var command: [String]
    /// The version of the tool that measures.
    public var toolVersion: String
    /// Where records are kept, in a directory for each build and command.
    public var directory: String
    public var basis = Basis.automatic
    /// Counted runs of each commit.
    public var countRuns = 2
    /// How long a counted run may take; nil for any time.
    public var countLimit: Duration?
    /// By how much counts may change without being a change, in percent.
    public var countBudgetPercent: Double
    /// Pairs of runs at both ends and around each commit that is named, where time decides.
    public var pairs = 12
    /// From which the random order of runs follows.
    public var seed: UInt64 = 1
    /// Whether every commit is measured, also where nothing changed between two.
    public var measuresAll = false
    /// How times are judged.
    public var settings: ComparisonSettings

    /// A request.
    public init(
        from: End, to: End, build: String, command: [String], toolVersion: String, directory: String,
        settings: ComparisonSettings
    ) {
        self.from = from
        self.to = to
        self.build = build
        self.command = command
        self.toolVersion = toolVersion
        self.directory = directory
        self.settings = settings
        countBudgetPercent = settings.countedBudgetPercent
    }
}
