internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileStore

/// `freeze-profile prune`: removes old versions and what killed freezes left behind.
enum PruneCommand {
    static let command = Tool.Command("prune", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile prune",
        summary: "Removes old versions, and what killed freezes left behind.",
        options: [
            .value("keep", "N", "remove all but the N newest versions"),
            .value("older-than", "DAYS", "remove versions frozen more than DAYS days ago"),
            .flag("records", "remove run records too, also of versions that stay"),
            .flag("dry-run", "show what would be removed, and remove nothing"),
            .flag("archive", "look in DIR/archive"),
            .value("profiles", "DIR", "where the versions are (default: data/profiles)"),
        ],
        examples: [
            ("freeze-profile prune --archive --older-than 365 --dry-run", "see what a year would take")
        ],
        notes: [
            "Without --keep and --older-than only leftovers are removed; with both, only what both call old. A version "
                + "takes its run records with it. References, the newest version, and profiles without a date are never removed. What is removed "
                + "is listed first.",
            "Exit codes: 0 done, 64 wrong usage, 66 a file cannot be read, 73 a file cannot be removed.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let base = ProfileStore(directory: arguments.value("profiles") ?? CaptureRequest.defaultDirectory)
        let keep = try arguments.whole("keep", in: 1...1_000_000)
        let days = try arguments.whole("older-than", in: 0...100_000)
        let before = days.map { days in
            Timestamp(
                nanosecondsSinceEpoch: SystemClock.now.nanosecondsSinceEpoch - Int64(days)
                    * 86_400_000_000_000)
        }
        do throws(LifecycleError) {
            let pruning = try Pruning(
                arguments.has("archive") ? base.archive : base,
                rule: .init(keep: keep, before: before, removesRecords: arguments.has("records")))
            for note in pruning.notes { Console.note("Note: \(note)") }
            let isTrial = arguments.has("dry-run")
            guard !pruning.items.isEmpty else {
                Console.note("There is nothing to remove.")
                return .success
            }
            Console.note(isTrial ? "Would remove:" : "Removing:")
            for item in pruning.items { Console.note("  \(item.name), \(ByteCount(bytes: item.bytes))") }
            Console.print(pruning.items.flatMap(\.files).joined(separator: "\n"))
            if !isTrial { try pruning.perform() }
            return .success
        } catch {
            throw ToolFailure(error)
        }
    }
}
