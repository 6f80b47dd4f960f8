internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileStore

/// `freeze-profile promote`: makes a profile a reference.
enum PromoteCommand {
    static let command = Tool.Command("promote", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile promote",
        summary: "Makes a frozen profile a reference that is never replaced.",
        operands: .named(["SOURCE", "ID"], required: 2),
        options: [
            .value("reason", "TEXT", "why this one, for readers in years to come"),
            .flag("dry-run", "show what would be written, and write nothing"),
            .flag("no-stage-truth-required", "promote a profile without a .stage_truth.json"),
            .value("profiles", "DIR", "where versions are looked up (default: data/profiles)"),
        ],
        examples: [
            (
                "freeze-profile promote v1.2.0 podcast-2026q1 --reason 'first with five runs'",
                "keep what a release cost"
            )
        ],
        notes: [
            "SOURCE is a version or the path of a profile. It is checked, stamped with 'promoted', and written with its "
                + "companions to DIR/references under ID; the source stays as it is. An ID with 'wip' in it and one "
                + "that is taken are refused.",
            "Exit codes: 0 promoted, 64 wrong usage or a name that is refused, 66 the source is missing or is not fit, "
                + "73 the reference exists or cannot be written.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        guard let reason = arguments.value("reason") else {
            throw ToolFailure(
                "Say why this profile becomes a reference: --reason 'first release with five runs'.", .usage)
        }
        let request = Promotion.Request(
            source: arguments.operands[0], id: arguments.operands[1], reason: reason,
            requiresStageTruth: !arguments.has("no-stage-truth-required"),
            tool: "freeze-profile \(toolVersion)", at: SystemClock.now)
        let store = ProfileStore(directory: arguments.value("profiles") ?? CaptureRequest.defaultDirectory)
        do throws(LifecycleError) {
            let promotion = try Promotion(request, in: store)
            for note in promotion.notes { Console.note("Note: \(note)") }
            if arguments.has("dry-run") {
                Console.note("Would write, and copy from:")
            } else {
                try promotion.perform()
            }
            Console.print(
                promotion.copies.map { arguments.has("dry-run") ? "\($0.to) <- \($0.from)" : $0.to }
                    .joined(separator: "\n"))
            return .success
        } catch {
            throw ToolFailure(error)
        }
    }
}

extension ToolFailure {
    /// The failure with the exit code of its kind.
    init(_ error: LifecycleError) {
        let code: ExitCode =
            switch error {
            case .refused: .usage
            case .noInput: .noInput
            case .cannotWrite: .cannotWrite
            }
        self.init(error.description, code)
    }
}
