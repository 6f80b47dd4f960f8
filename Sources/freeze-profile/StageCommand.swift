internal import CommandLineTool
internal import LinuxSystem
internal import Measurement
internal import Stages

/// `freeze-profile stage`: marks the stage that a shell script is in.
enum StageCommand {
    static let command = Tool.Command("stage", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile stage",
        summary: "Marks the stage that a shell script is in.",
        operands: .named(["NAME"], required: 0),
        options: [
            .value("episode", "I/N", "the item the stage works on, and how many there are"),
            .flag("done", "the last stage is over"),
            .value(
                "status-file", "FILE",
                "the file to replace (default: PIPELINE_STATUS_FILE); .pipeline_events.jsonl beside it gets a line"
            ),
            .value("pid", "N", "the pipeline's process (default: the one that calls this, the script)"),
        ],
        examples: [
            ("freeze-profile stage media_download --episode 1/3", "in the script, before the work begins"),
            ("freeze-profile stage --done", "at the script's end"),
            ("freeze-profile monitor -- ./pipeline.sh", "watch the script"),
        ],
        notes: [
            "Without a status file, only prints a note: a script that is not watched runs the same.",
            "Each mark ends the stage marked before it, and starts a process. 'helpers/stages.sh', to be sourced, marks "
                + "without one, and marks stages that overlap.",
            "Exit codes: 0 marked, or not watched; 64 wrong usage, 73 cannot write.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let stage = try stage(arguments)
        var position: EpisodePosition?
        if let text = arguments.value("episode") { position = try episode(text) }
        var pid = CurrentProcess.parentPID
        if let text = arguments.value("pid") {
            guard let given = Int32(text), given > 0 else {
                throw ToolFailure(
                    "The option '--pid' needs a process's number, not '\(PlainText.sanitized(text))'.", .usage
                )
            }
            pid = given
        }
        guard
            let location = arguments.value("status-file").map({
                StatusLocation(statusFile: Files.absolute($0))
            }) ?? StatusLocation.requestedByObserver()
        else {
            Console.note(
                "\(syntax.name): the stage is not marked, because there is no status file: PIPELINE_STATUS_FILE is not "
                    + "set. Run the script under 'freeze-profile monitor', or give --status-file FILE.")
            return .success
        }
        do throws(SystemError) {
            try StageMark(stage, episode: position, pid: pid).write(to: location)
            return .success
        } catch {
            throw ToolFailure(error.description, .cannotWrite)
        }
    }

    private static func stage(_ arguments: ParsedArguments) throws(ToolFailure) -> StageName {
        if arguments.has("done") {
            guard arguments.operands.isEmpty else {
                throw ToolFailure("Give a stage's NAME or --done, not both.", .usage)
            }
            return .done
        }
        guard let text = arguments.operands.first else {
            throw ToolFailure("The stage's NAME is missing.", .usage)
        }
        guard let stage = StageName(text) else {
            throw ToolFailure("A stage's name needs at least one character that is not a space.", .usage)
        }
        return stage
    }

    private static func episode(_ text: String) throws(ToolFailure) -> EpisodePosition {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(parts.count), let index = parts[0], index > 0,
            parts.count == 1 || parts[1].map({ $0 >= index }) ?? false
        else {
            throw ToolFailure(
                "The episode '\(PlainText.sanitized(text))' is not of the form I/N, such as 2/10.", .usage)
        }
        return EpisodePosition(index: index, total: parts.count == 2 ? parts[1] : nil)
    }
}
