/// Where the account of a stage comes from.
public enum StageSource: String, Sendable {
    /// The pipeline's own record of every begin and end.
    case eventTrace = "event trace"
    /// The status file, each time it was replaced.
    case statusFile = "status file"
    /// The account of finished stages in the status file; the stage itself was not seen.
    case statusHistory = "status history"
}
