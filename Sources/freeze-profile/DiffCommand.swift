internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import ProfileCapture
internal import ProfileComparison

/// `freeze-profile diff`: two frozen versions compared, with a verdict.
enum DiffCommand {
    static let command = Tool.Command("diff", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile diff",
        summary:
            "Says what got slower from one frozen version to another, and whether that is more than noise.",
        operands: .named(["FROM", "TO"], required: 2),
        options: ComparisonOptions.all + DiffReport.options + [
            .value("profiles", "DIR", "where versions are looked up (default: data/profiles)")
        ],
        examples: [
            ("freeze-profile diff v1.1.0 v1.2.0", "what changed from one release to the next"),
            (
                "freeze-profile diff v1.1.0 v1.2.0 --allow kernel_major --budget wall=5",
                "across a newer kernel, with 5 % of wall time to spend"
            ),
        ],
        notes: [
            "FROM and TO are versions, or paths of profiles. Profiles of the older single-run schema are read too; "
                + "what cannot be concluded from them is said.",
            "A session is one fresh start of a batch of runs. Only sessions tell how far another one would be off: "
                + "with one a side and no noise ledger the answer is 'cannot tell'.",
            ComparisonOptions.exitCodes,
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let directory = arguments.value("profiles") ?? CaptureRequest.defaultDirectory
        let store = ProfileStore(directory: directory)
        let from = try load(arguments.operands[0], store)
        let to = try load(arguments.operands[1], store)
        let settings = try ComparisonOptions.settings(arguments, profiles: directory)
        var comparison = Comparison(from: from, to: to, settings: settings)
        let why = try DiffReport.explained(&comparison, from: from, to: to, store: store, arguments)
        return try ComparisonOptions.show(comparison, arguments, why: why)
    }

    private static func load(_ reference: String, _ store: ProfileStore) throws(ToolFailure) -> FrozenProfile
    {
        do throws(ProfileError) {
            return try store.load(reference: reference)
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
    }
}
