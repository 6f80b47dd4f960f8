internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import SlurmEngine

/// The options of `capture` that are about Slurm.
enum SlurmOptions {
    static let all: [CommandSyntax.Option] = [
        .value("engine", "NAME", "where sessions are made: local or slurm (default: local)")
            .among(["local", "slurm"]),
        .value(
            "sessions", "N", "with --engine slurm: sessions, each a task of its own (default: one a node)"),
        .value(
            "nodes", "LIST", "with --engine slurm: the nodes that sessions are spread over, such as n[1-4]"),
        .value("partition", "P", "with --engine slurm: the partition (default: the cluster's)"),
        .value("time", "T", "with --engine slurm: the time limit of a session, such as 2:00:00"),
        .value("sbatch-arg", "ARG", "with --engine slurm: a further argument of sbatch; may be repeated"),
        .value(
            "retries", "N",
            "with --engine slurm: how often a session is made again that Slurm ended (default: 2)"),
        .flag("records-only", "make the session's records in --records, and freeze nothing"),
    ]

    /// Options that only Slurm's sessions know.
    private static let own = ["sessions", "nodes", "partition", "time", "sbatch-arg", "retries"]
    /// Options with a value that are those of a session, wherever it is made.
    private static let ofSessions = [
        "dataset-id", "config", "output-dir", "status-file", "runs", "stack-runs", "count-runs",
        "count-command", "count-engine", "count-timeout", "warmup", "repeat-disturbed", "canaries", "sampler",
        "rate",
        "sample-interval", RunInput.name, EnvironmentOption.option.name,
    ]
    private static let flagsOfSessions = ["skip-warmup", "leave-running", RedactionOption.name]

    /// Whether sessions go to Slurm.
    static func isWanted(_ arguments: ParsedArguments) throws(ToolFailure) -> Bool {
        switch arguments.value("engine") {
        case "slurm": return true
        case nil, "local":
            if let option = own.first(where: { arguments.value($0) != nil }) {
                throw ToolFailure("--\(option) goes with --engine slurm.", .usage)
            }
            return false
        case let name?:
            throw ToolFailure(
                "There is no engine '\(PlainText.sanitized(name))'; there are local and slurm.", .usage)
        }
    }

    /// Has the sessions made by Slurm, and freezes them.
    static func run(
        _ arguments: ParsedArguments, _ local: CaptureRequest
    ) throws(ToolFailure) -> ExitCode {
        let request = try request(arguments, local)
        do throws(CaptureError) {
            let progress = CaptureProgress()
            var capture = SlurmCapture(request, report: progress.show)
            let frozen = try capture.run()
            Console.note(FreezeSummary.text(frozen))
            if !frozen.files.isEmpty { Console.print(frozen.files.joined(separator: "\n")) }
            return .success
        } catch {
            throw ToolFailure(error.description, CaptureCommand.exitCode(error))
        }
    }

    private static func request(
        _ arguments: ParsedArguments, _ local: CaptureRequest
    ) throws(ToolFailure) -> SlurmRequest {
        for option in ["append", "monitor", "records-only"] where arguments.has(option) {
            throw ToolFailure(
                "--\(option) does not go with --engine slurm"
                    + (option == "append" ? ": ask for more --sessions instead." : "."), .usage)
        }
        if local.session != nil {
            throw ToolFailure("--session does not go with --engine slurm: every session gets a name.", .usage)
        }
        let (options, sessions) = try place(arguments)
        var request = SlurmRequest(
            version: local.version, sessions: sessions, sessionCommand: sessionCommand(arguments),
            pipeline: arguments.command)
        request.options = options
        request.retries = try arguments.whole("retries", in: 0...100) ?? request.retries
        request.output = local.output
        request.recordsDirectory = local.recordsDirectory
        request.writesStageTruth = local.writesStageTruth
        request.overwrites = local.overwrites
        request.continuation = local.continuation
        return request
    }

    /// Where sessions may run, and how many are wanted.
    static func place(
        _ arguments: ParsedArguments
    ) throws(ToolFailure) -> (options: SubmissionOptions, sessions: Int) {
        var options = SubmissionOptions()
        options.partition = arguments.value("partition")
        options.timeLimit = arguments.value("time")
        options.arguments = arguments.values["sbatch-arg"] ?? []
        if let list = arguments.value("nodes") { options.nodes = try nodes(list) }
        let sessions = try arguments.whole("sessions", in: 1...CaptureBook.maximumSessions)
        guard let sessions = sessions ?? (options.nodes.isEmpty ? nil : options.nodes.count) else {
            throw ToolFailure("Say how many sessions: --sessions N, or on which nodes: --nodes LIST.", .usage)
        }
        return (options, sessions)
    }

    private static func nodes(_ list: String) throws(ToolFailure) -> [String] {
        let nodes: [String]
        do throws(SlurmError) {
            nodes = try SlurmTools().nodes(in: list)
        } catch {
            throw ToolFailure(error.description, .failed)
        }
        guard !nodes.isEmpty, nodes.count <= CaptureBook.maximumSessions else {
            throw ToolFailure("--nodes '\(PlainText.sanitized(list))' names no node, or too many.", .usage)
        }
        return nodes
    }

    /// The tool with all options of a session but its name.
    private static func sessionCommand(_ arguments: ParsedArguments) -> [String] {
        var words = [CurrentProcess.executable, "capture", "--version", arguments.value("version") ?? ""]
        for option in ofSessions {
            words += (arguments.values[option] ?? []).map { "--\(option)=\($0)" }
        }
        return words + flagsOfSessions.filter(arguments.has).map { "--\($0)" }
    }
}
