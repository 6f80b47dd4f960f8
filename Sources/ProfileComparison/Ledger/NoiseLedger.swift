public import FrozenProfile
public import Measurement
public import Statistics

/// How much sessions of one workload differ on one class of machine, by stage and metric.
///
/// `docs/formats/noise-ledger.md` describes every key of the file.
public struct NoiseLedger: Equatable, Sendable {
    /// What is known of one metric of a stage, or of the whole run.
    public struct Entry: Equatable, Sendable {
        /// The variance of a session's value, the median logarithm of its runs.
        public var sessions: VarianceEstimate
        /// Sessions it was estimated from.
        public var sessionCount: Int
        /// The runs of such a session, at least.
        public var runsPerSession: Int
        /// The first and the last day of measuring, as `2026-02-10`.
        public var firstDate: String
        public var lastDate: String
        /// The budget that this noise allows to test, in percent; nil where none was computed.
        public var proposedBudgetPercent: Double?
        /// The variance of the machine's speed within those sessions, by their canaries; 0 where they had none.
        public var driftVariance = 0.0

        /// An entry.
        public init(
            sessions: VarianceEstimate, sessionCount: Int, runsPerSession: Int, firstDate: String,
            lastDate: String, proposedBudgetPercent: Double? = nil
        ) {
            self.sessions = sessions
            self.sessionCount = sessionCount
            self.runsPerSession = runsPerSession
            self.firstDate = firstDate
            self.lastDate = lastDate
            self.proposedBudgetPercent = proposedBudgetPercent
        }
    }

    /// A metric of a stage, nil for the whole run.
    public struct Key: Hashable, Sendable {
        public var stage: StageName?
        public var metric: Metric

        /// A key.
        public init(stage: StageName?, metric: Metric) {
            self.stage = stage
            self.metric = metric
        }
    }

    /// The file's path, for messages.
    public var file: String
    /// What the machine is.
    public var machine: MachineClass
    /// What it worked on.
    public var workload: Workload
    public var entries: [Key: Entry]

    /// A ledger.
    public init(file: String, machine: MachineClass, workload: Workload, entries: [Key: Entry] = [:]) {
        self.file = file
        self.machine = machine
        self.workload = workload
        self.entries = entries
    }

    /// What is known of a metric of a stage, or of the whole run when nil.
    public subscript(stage: StageName?, metric: Metric) -> Entry? {
        get { entries[Key(stage: stage, metric: metric)] }
        set { entries[Key(stage: stage, metric: metric)] = newValue }
    }
}

/// Machines whose noise is taken to be alike: the facts of a profile's identity that are about the machine.
public struct MachineClass: Equatable, Sendable {
    /// The facts that distinguish classes.
    public static let keys: [IdentityKey] = [
        .cpuModel, .usableCPUs, .memoryClass, .operatingSystem, .kernelMajor, .libc, .architecture,
    ]

    /// Facts in words, those that are known.
    public var facts: [IdentityKey: String]

    /// A class of machines.
    public init(facts: [IdentityKey: String]) {
        self.facts = facts.filter { Self.keys.contains($0.key) }
    }

    /// The class of the machine a profile is from.
    public init(_ identity: EnvironmentIdentity) {
        var facts: [IdentityKey: String] = [:]
        for key in Self.keys { facts[key] = identity[key].value?.description }
        self.facts = facts
    }
}

/// What a pipeline worked on, as far as it decides how much its runs differ.
public struct Workload: Equatable, Sendable {
    public var datasetID: String?
    public var configDigest: String?
    public var inputDigest: String?
    /// The command, which distinguishes workloads that have no name of a data set.
    public var command: [String]

    /// A workload.
    public init(datasetID: String?, configDigest: String?, inputDigest: String?, command: [String]) {
        self.datasetID = datasetID
        self.configDigest = configDigest
        self.inputDigest = inputDigest
        self.command = datasetID == nil ? command : []
    }

    /// The workload of a profile.
    public init(_ profile: FrozenProfile) {
        self.init(
            datasetID: profile.datasetID.value,
            configDigest: profile.environment.identity[.configDigest].value?.description,
            inputDigest: profile.environment.identity[.inputDigest].value?.description,
            command: profile.recipe?.arguments ?? [])
    }
}
