internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileReport
internal import ProfileStore

/// `freeze-profile export`: all profiles in long form, for databases.
enum ExportCommand {
    static let command = Tool.Command("export", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile export",
        summary: "Prints the values of all profiles, one a row, for databases.",
        operands: .named(["VERSION..."], required: 0),
        options: [
            .value("profiles", "DIR", "where the versions are (default: data/profiles)"),
            .value("format", "NAME", "json-lines or csv (default: json-lines)")
                .among(ProfileRows.Format.allCases.map(\.rawValue)),
            .value("by", "WHAT", "a row for each version, session or run (default: version)")
                .among(ProfileRows.Grain.allCases.map(\.rawValue)),
            .value("output", "FILE", "the file to write (default: standard output)", letter: "o"),
        ],
        examples: [
            ("freeze-profile export -o profiles.jsonl", "what a database reads (docs/formats/export.md)"),
            ("freeze-profile export --by session --format csv v1.2.0", "one version, session by session"),
        ],
        notes: [
            "Every version, oldest first, or those that are named. A value that could not be had is null, or an empty field, with "
                + "the reason beside it: it is not zero. A profile that cannot be read is named on standard error, and the others are "
                + "printed.",
            "Exit codes: 0 all printed, 64 wrong usage, 66 a profile cannot be read, 73 cannot write.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let rows = ProfileRows(
            try arguments.choice("by") ?? .version, try arguments.choice("format") ?? .jsonLines)
        let store = ProfileStore(directory: arguments.value("profiles") ?? CaptureRequest.defaultDirectory)
        guard Files.isDirectory(store.directory) else {
            throw ToolFailure(
                "There is no directory '\(PlainText.sanitized(store.directory))'. Say where the profiles are: --profiles DIR.",
                .noInput)
        }
        var code = ExitCode.success
        var text = rows.header
        for entry in try entries(store, named: arguments.operands) {
            do throws(ProfileError) {
                text += rows.text(try store.load(entry.version))
            } catch {
                Console.note("\(entry.version): \(error)")
                code = .noInput
            }
        }
        if let file = arguments.value("output") {
            try Console.deliver(Array(text.utf8), to: file)
        } else {
            Console.print(bytes: Array(text.utf8))
        }
        return code
    }

    private static func entries(
        _ store: ProfileStore, named names: [String]
    ) throws(ToolFailure) -> [ProfileCatalogue.Entry] {
        let catalogue: ProfileCatalogue
        do throws(ProfileError) {
            catalogue = try ProfileCatalogue(store)
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
        guard !names.isEmpty else { return catalogue.entries }
        let known = Set(catalogue.entries.map(\.version.text))
        for name in names where !known.contains(name) {
            let error = ProfileError.unknownVersion(
                name, directory: store.directory,
                nearest: NearestNames.of(name, among: known.sorted()))
            throw ToolFailure(error.description, .noInput)
        }
        return catalogue.entries.filter { names.contains($0.version.text) }
    }
}
