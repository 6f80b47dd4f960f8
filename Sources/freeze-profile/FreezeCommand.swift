internal import Capture
internal import CommandLineTool
internal import FrozenProfile

/// `freeze-profile freeze`: a profile made of run records.
enum FreezeCommand {
    static let command = Tool.Command("freeze", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile freeze",
        summary: "Freezes runs that were made before, here or elsewhere, as a version.",
        operands: .named(["RECORDS..."], required: 1),
        options: [
            .value("version", "V", "the version to freeze: the stem of every file that is written"),
            .value("output", "FILE", "the YAML file to write (default: data/profiles/V.yaml)", letter: "o"),
            .flag("no-stage-truth", "write no V.stage_truth.json"),
            .flag("force", "replace a version that is frozen already"),
        ],
        examples: [
            (
                "freeze-profile freeze --version v1.2.0 night/s1 morning/s2",
                "make one profile of sessions from two machines of the same kind"
            )
        ],
        notes: [
            "RECORDS are files such as 002-measured.json, or directories with such files. Records of different "
                + "pipelines, data sets or machines are refused, with what differs. The same records give the same bytes, "
                + "in whatever order they are named.",
            "Exit codes: 0 frozen, 64 wrong usage, 66 a record is missing or cannot be used, 73 cannot write.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let version = try VersionOption.required(arguments)
        var freezing = RecordFreezing(arguments.operands, as: version)
        freezing.output = arguments.value("output")
        freezing.writesStageTruth = !arguments.has("no-stage-truth")
        freezing.overwrites = arguments.has("force")
        do throws(CaptureError) {
            let frozen = try freezing.run()
            Console.note(FreezeSummary.text(frozen))
            if !frozen.files.isEmpty { Console.print(frozen.files.joined(separator: "\n")) }
            return .success
        } catch {
            throw ToolFailure(error.description, CaptureCommand.exitCode(error))
        }
    }
}
