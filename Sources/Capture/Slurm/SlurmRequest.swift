public import FrozenProfile
internal import Measurement
public import SlurmEngine

/// A capture whose sessions Slurm has made, each by a task of its own.
public struct SlurmRequest: Sendable {
    /// The release the profile is of.
    public var version: VersionName
    /// How many sessions are wanted.
    public var sessions: Int
    /// freeze-profile with all that makes it make one session on a node, but for the session's name and the records' place.
    public var sessionCommand: [String]
    /// The measured command.
    public var pipeline: [String]
    /// Where and for how long the sessions may run.
    public var options = SubmissionOptions()
    /// How often a session is given to Slurm again that Slurm itself has ended.
    public var retries = 2
    /// The YAML file to write; nil for the version's own place in `data/profiles`.
    public var output: String?
    /// Where run records are kept: a directory that all nodes see; nil for `.records/<VERSION>` beside the profile.
    public var recordsDirectory: String?
    public var writesStageTruth = true
    public var overwrites = false
    /// The command line by which the same capture is continued, ready for a shell.
    public var continuation = ""

    /// The longest pause between two questions to the controller, which serves many.
    public var longestPause = Duration.seconds(10)

    /// A request to freeze a command's profile as a version.
    public init(version: VersionName, sessions: Int, sessionCommand: [String], pipeline: [String]) {
        self.version = version
        self.sessions = sessions
        self.sessionCommand = sessionCommand
        self.pipeline = pipeline
    }
}
