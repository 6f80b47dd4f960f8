public import FrozenProfile
public import Measurement
public import ProfileComparison

/// What each commit between two versions did to what a program costs: an invoice.
///
/// The change of each line is the sum of its commits' shares and a residual. All text in it is as git and the program have it,
/// without control characters.
public struct BlameReport: Equatable, Sendable {
    /// What changes were measured by.
    public enum Basis: Equatable, Sendable {
        /// Instructions, counted by an engine.
        case counts(engine: String, identity: String, runs: Int)
        /// The time of runs made in turn, in seconds.
        case time(Metric, pairs: Int)
    }

    /// One end of the commits.
    public struct End: Equatable, Sendable {
        /// What the user called it.
        public var name: String
        public var commit: CommitDescription
    }

    /// A commit that changed something, or several of which one did, for those between cannot be measured.
    public struct Culprit: Equatable, Sendable {
        /// The oldest first; at least one.
        public var commits: [CommitDescription]
        /// Where time decides, the probability that it is among these; nil where counts do.
        public var probability: Double?
        /// Where time decides, the change around it is within its error, so it may be none.
        public var isConfirmed = true
        /// The functions whose counts or CPU time changed, of each stage that did, largest first.
        public var functions: [StageFunctions] = []

        /// The newest of them, which its line is called by.
        public var name: String { commits.last?.shortName ?? "" }
    }

    /// Functions that changed in a stage.
    public struct StageFunctions: Equatable, Sendable {
        public var stage: StageName?
        /// What the stage had before, for percentages: instructions, or CPU seconds.
        public var base: Double
        public var functions: [Function]
    }

    /// A function that changed: instructions of the median run, or CPU seconds.
    public struct Function: Equatable, Sendable {
        public var name: String
        /// The file its code is in.
        public var module: String?
        public var from: Double
        public var to: Double

        public var change: Double { to - from }
    }

    /// A stage, or the whole run: instructions, or seconds.
    public struct Line: Equatable, Sendable {
        /// Nil for the whole run.
        public var stage: StageName?
        public var from: Double
        public var to: Double
        /// What each of ``BlameReport/culprits`` added, in the same order.
        public var shares: [Double]
        public var verdict: Verdict?
        /// The change in percent as it was frozen; nil where it was not.
        public var frozenPercent: Double?

        public var change: Double { to - from }
        /// What no commit is named for.
        public var residual: Double { change - shares.reduce(0, +) }

        /// A change in percent of the old value; nil where that is 0.
        public func percent(_ change: Double) -> Double? { from > 0 ? 100 * change / from : nil }
    }

    /// A commit that could not be measured.
    public struct Skipped: Equatable, Sendable {
        public var commit: CommitDescription
        /// After "the commit".
        public var reason: String
    }

    public var from: End
    public var to: End
    /// How many commits lie between them, and how many of them were built for this.
    public var commits: Int
    public var builds: Int
    /// Commits whose kept measurements were used.
    public var reused: Int
    public var basis: Basis
    public var verdict: Verdict
    /// In order of history.
    public var culprits: [Culprit]
    /// The stages in order of first entry, the whole run first.
    public var lines: [Line]
    public var skipped: [Skipped]
    /// What else a reader should know, as sentences.
    public var notes: [String]
}
