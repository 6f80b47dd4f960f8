public import Measurement
// Profiles are made of metrics: who reads one reads the other.
@_exported public import Metrics
public import YAMLDocument

/// A version's cost, frozen: raw values of every run, and summaries derived from them.
///
/// `docs/formats/frozen-profile.md` describes every key of the file.
public struct FrozenProfile: Equatable, Sendable {
    /// The schema that is written while the raw values stand in the file itself. Files of other minor versions are read; a
    /// newer major version is refused.
    public static let schemaVersion = SchemaVersion(major: 2, minor: 3)
    /// The schema that is written when the raw values stand in a companion: a reader of the former would see no runs.
    public static let schemaVersionWithCompanion = SchemaVersion(major: 3, minor: 0)
    /// The newest schema of each major version that is read without losing anything.
    public static func newestKnown(major: Int) -> SchemaVersion {
        major >= schemaVersionWithCompanion.major ? schemaVersionWithCompanion : schemaVersion
    }

    /// Where a profile's raw values stand.
    public enum RunsPlace: String, Sendable {
        /// In the file, under `sessions`.
        case inline
        /// In the companion ``CompanionKind/runs``.
        case companion
    }

    /// The schema of the file it was read from; ``schemaVersion`` for a new one.
    public var schema: SchemaVersion
    /// Where the raw values stand, or will stand. Those of a companion have to be taken from it (``takeRuns(_:name:)``).
    public var runsPlace = RunsPlace.inline
    /// The version this is the profile of.
    public var release: String
    /// When it was frozen, in UTC.
    public var date: String
    public var datasetID: Reading<String>
    public var episodesProcessed: Reading<Int>
    /// Where and when it was promoted, as the promoting command wrote it.
    public var promoted: YAMLMapping?
    public var environment: ProfileEnvironment
    /// Derived from the runs, in order of first entry.
    public var stages: [StageSummary]
    /// Derived from the runs.
    public var totals: Totals
    /// Nil where the older schema says nothing.
    public var captureQuality: CaptureQuality?
    /// Nil where the older schema says nothing.
    public var recipe: Recipe?
    public var companions: [Companion]
    /// What counted runs executed; nil where the file says nothing of it.
    public var counts: Reading<FrozenCounts>?
    /// Empty where the older schema says nothing.
    public var sessions: [Session]
    /// Top-level keys that this version does not know: kept when the profile is written again.
    public var other = YAMLMapping()
    /// The whole document of a file of the older schema, nil for others: what it says stays as it says it.
    var olderDocument: YAMLMapping?

    /// A profile with its summaries derived from the sessions' runs.
    public init(
        release: String, date: String, datasetID: Reading<String>, episodesProcessed: Reading<Int>,
        environment: ProfileEnvironment, captureQuality: CaptureQuality?, recipe: Recipe?,
        sessions: [Session], companions: [Companion] = [], promoted: YAMLMapping? = nil
    ) {
        let summary = FrozenProfile.derive(from: sessions, episodesProcessed: episodesProcessed)
        schema = FrozenProfile.schemaVersion
        self.release = release
        self.date = date
        self.datasetID = datasetID
        self.episodesProcessed = episodesProcessed
        self.promoted = promoted
        self.environment = environment
        stages = summary.stages
        totals = summary.totals
        self.captureQuality = captureQuality
        self.recipe = recipe
        self.companions = companions
        self.sessions = sessions
    }

    init(
        schema: SchemaVersion, release: String, date: String, datasetID: Reading<String>,
        episodesProcessed: Reading<Int>, environment: ProfileEnvironment, stages: [StageSummary],
        totals: Totals
    ) {
        self.schema = schema
        self.release = release
        self.date = date
        self.datasetID = datasetID
        self.episodesProcessed = episodesProcessed
        self.environment = environment
        self.stages = stages
        self.totals = totals
        companions = []
        sessions = []
    }

    /// The runs that summaries are made of, in order.
    public var measuredRuns: [Run] { sessions.flatMap(\.runs).filter(\.counts) }

    /// A metric's value in every run that counts, session by session; of a stage, or of the whole run when nil.
    public func samples(of metric: Metric, in stage: StageName?) -> [[Reading<Double>]] {
        var place = 0
        return sessions.map { session in
            session.runs.filter(\.counts).map { run in
                guard let stage else { return run.use[metric] }
                guard let found = run.place(of: stage, near: place) else {
                    return .unavailable(reason: "the stage was not entered")
                }
                place = found
                return run.stages[found].use[metric]
            }
        }
    }
}

/// A version of the file's schema.
public struct SchemaVersion: Hashable, Sendable, CustomStringConvertible {
    /// Raised when an older reader would misread the file.
    public var major: Int
    /// Raised when keys are added.
    public var minor: Int

    /// A version.
    public init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// The schema of the RFC-064 files, which name none.
    public static let older = SchemaVersion(major: 1, minor: 0)

    /// The version, such as `2.0`.
    public var description: String { "\(major).\(minor)" }
}

/// What a stage cost in the median run.
public struct StageSummary: Equatable, Sendable {
    public var stage: StageName
    public var use: ResourceUse
    /// The stage's wall time by that of the whole run, 0 to 1.
    public var shareOfWall: Reading<Double>
    /// How many measured runs entered it, nil where the older schema says nothing.
    public var runs: Int?
    /// Whether another stage was active during it in any run.
    public var isShared: Bool

    /// A stage's summary.
    public init(
        stage: StageName, use: ResourceUse, shareOfWall: Reading<Double>, runs: Int?, isShared: Bool = false
    ) {
        self.stage = stage
        self.use = use
        self.shareOfWall = shareOfWall
        self.runs = runs
        self.isShared = isShared
    }
}

/// What the median run cost.
public struct Totals: Equatable, Sendable {
    public var use: ResourceUse
    public var wallSecondsPerEpisode: Reading<Double>
    /// Wall time of the run less that of all stages, so that both add up. Negative where medians of different runs meet.
    public var unattributedWallSeconds: Reading<Double>
    /// CPU time of the run less that of all stages.
    public var unattributedCPUSeconds: Reading<Double>
    /// How many runs were measured, nil where the older schema says nothing.
    public var runs: Int?
    /// Whatever else stood under `totals`.
    public var other = YAMLMapping()

    /// Totals.
    public init(
        use: ResourceUse, wallSecondsPerEpisode: Reading<Double>, unattributedWallSeconds: Reading<Double>,
        unattributedCPUSeconds: Reading<Double>, runs: Int?
    ) {
        self.use = use
        self.wallSecondsPerEpisode = wallSecondsPerEpisode
        self.unattributedWallSeconds = unattributedWallSeconds
        self.unattributedCPUSeconds = unattributedCPUSeconds
        self.runs = runs
    }
}
