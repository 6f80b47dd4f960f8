internal import LinuxSystem

/// Where a pipeline writes its status and its event trace.
public struct StatusLocation: Hashable, Sendable {
    /// The file that is replaced at each transition.
    public var statusFile: String
    /// The file that gets a line for each begin and end.
    public var eventTrace: String
    /// The file in which the pipeline says what it is and what it made.
    public var facts: String

    /// Names in the output directory: `.pipeline_status.json`, `.pipeline_events.jsonl`, `.pipeline_facts.json`.
    public init(outputDirectory: String) {
        statusFile = outputDirectory + "/.pipeline_status.json"
        eventTrace = outputDirectory + "/.pipeline_events.jsonl"
        facts = outputDirectory + "/.pipeline_facts.json"
    }

    /// A status file anywhere, with the others beside it.
    public init(statusFile: String) {
        self.statusFile = statusFile
        eventTrace = Files.directory(of: statusFile) + "/.pipeline_events.jsonl"
        facts = Files.directory(of: statusFile) + "/.pipeline_facts.json"
    }

    /// The environment variable that names the status file for a pipeline.
    public static let statusFileVariable = "PIPELINE_STATUS_FILE"
    /// The environment variable that names the output directory for a pipeline.
    public static let outputDirectoryVariable = "PIPELINE_OUTPUT_DIR"

    /// The location that an observer asked for in the environment, nil when none did.
    public static func requestedByObserver() -> StatusLocation? {
        guard let path = CurrentProcess.environmentVariable(statusFileVariable), !path.isEmpty else {
            return nil
        }
        return StatusLocation(statusFile: path)
    }
}
