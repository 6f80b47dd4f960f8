internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import ProfileStore

/// `freeze-profile archive`: puts an old version out of the way.
enum ArchiveCommand {
    static let command = Tool.Command("archive", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile archive",
        summary: "Moves an old version with its companions into the archive.",
        operands: .named(["VERSION"], required: 1),
        options: [
            .flag("dry-run", "show what would be moved, and move nothing"),
            .flag("force", "archive the newest version too"),
            .value("profiles", "DIR", "where the version is (default: data/profiles)"),
        ],
        examples: [("freeze-profile archive v1.0.0", "keep the directory short")],
        notes: [
            "The files keep their names and bytes in DIR/archive, where 'diff' finds them still. The newest version "
                + "is refused, for the next one is compared with it. What is in the archive is never replaced.",
            "VERSION is references/ID for a reference that another has superseded: it goes to DIR/references/archive, "
                + "'diff' finds it there, and its ID stays taken.",
            "Exit codes: 0 archived, 64 wrong usage or the newest version, 66 the version is missing or cannot be read, "
                + "73 cannot write, or something else of that name is there.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let store = ProfileStore(directory: arguments.value("profiles") ?? CaptureRequest.defaultDirectory)
        do throws(LifecycleError) {
            let archiving = try Archiving(arguments.operands[0], in: store, force: arguments.has("force"))
            if arguments.has("dry-run") {
                Console.note("Would move:")
            } else {
                try archiving.perform()
            }
            Console.print(archiving.moves.map { "\($0.from) -> \($0.to)" }.joined(separator: "\n"))
            return .success
        } catch {
            throw ToolFailure(error)
        }
    }
}
