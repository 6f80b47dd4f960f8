internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import ProfileCapture
internal import ProfileComparison

/// `freeze-profile diff`: two frozen profiles side by side.
enum DiffCommand {
    static let command = Tool.Command("diff", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile diff",
        summary: "Shows what two frozen versions cost, side by side.",
        operands: .named(["FROM", "TO"], required: 2),
        options: [
            .value("profiles", "DIR", "where versions are looked up (default: data/profiles)")
        ],
        examples: [("freeze-profile diff v1.1.0 v1.2.0", "what changed from one release to the next")],
        notes: [
            "FROM and TO are versions, or paths of profiles. Profiles of the older single-run schema are read too; "
                + "what they do not record is shown as unavailable.",
            "Exit codes: 0 shown, 64 wrong usage, 66 a profile is missing or cannot be read.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let store = ProfileStore(directory: arguments.value("profiles") ?? CaptureRequest.defaultDirectory)
        do throws(ProfileError) {
            let comparison = ProfileComparison(
                from: try store.load(reference: arguments.operands[0]),
                to: try store.load(reference: arguments.operands[1]))
            Console.print(comparison.render(width: Terminal.size(Terminal.standardOutput).columns))
            return .success
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
    }
}
