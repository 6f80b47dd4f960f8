internal import JobRuns
internal import LinuxSystem
internal import Stages

/// The directory that one run of the pipeline gets, and the command as it is run there.
struct RunDirectory: Sendable {
    /// Where the pipeline writes, and what it learns about that.
    let pipeline: PipelineDirectory
    var output: String { pipeline.path }
    /// Whether the directory was there before and stays.
    let isFixed: Bool
    /// Where its standard output and standard error go.
    let standardOutput: String
    let standardError: String
    /// Where tasks of the run leave their accounts that other machines are at work on.
    let tasks: String
    /// Where the monitor logs: not where the pipeline, maybe another user's, could put a link in its place.
    let monitorLog: String

    /// A directory inside a capture's own, created now.
    ///
    /// - Parameters:
    ///   - workspace: The capture's own directory.
    ///   - name: The run's name: `warm-up`, `measured-1`, ...
    ///   - fixedOutput: A directory to write to instead of a fresh one.
    ///   - statusFile: Where the pipeline writes its status, with `{output_dir}` for the directory; nil for a file in it.
    init(
        workspace: String, name: String, fixedOutput: String?, statusFile: String? = nil
    ) throws(SystemError) {
        let own = "\(workspace)/\(name)"
        standardOutput = "\(own)/stdout.log"
        standardError = "\(own)/stderr.log"
        monitorLog = "\(own)/monitor.log"
        try Files.createDirectories(own)
        isFixed = fixedOutput != nil
        pipeline = try PipelineDirectory(
            preparing: fixedOutput ?? "\(own)/output", statusFile: statusFile)
        // A directory that stays may hold those of earlier runs.
        tasks = "\(pipeline.path)/.freeze-profile-tasks/\(name)-\(CurrentProcess.pid)"
    }

    /// The command with the placeholder replaced, wherever in a word it stands.
    func command(_ words: [String]) -> [String] { pipeline.command(words) }

    /// The variable by which a pipeline that monitors itself is made to log to a file too.
    static let forcedLogVariable = "PODCAST_SCRAPER_MONITOR_FILE_LOG"

    /// What a pipeline finds in its environment.
    var environment: [String: String] {
        pipeline.environment.merging([
            Self.forcedLogVariable: "1", TaskDirectory.variable: tasks,
        ]) { _, forced in forced }
    }
}
