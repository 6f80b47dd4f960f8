internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison
internal import ProfileReport
internal import ProfileStore

/// `freeze-profile report`: a page of one frozen version, or of two compared.
enum ReportCommand {
    static let command = Tool.Command("report", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile report",
        summary: "Writes an HTML page of a frozen version, of what changed between two, or pages of all.",
        operands: .named(["VERSION|FROM..TO"], required: 0),
        options: ComparisonOptions.all.filter { $0.name != "json" && $0.name != "fail-on" } + [
            .value("ledger", "FILE", "the noise between sessions (default: the one in ledger/ that applies)"),
            .value("profiles", "DIR", "where versions are looked up (default: data/profiles)"),
            .value(
                "output", "FILE",
                "the page (default: VERSION.html in the working directory); a name that ends in .csv gets the stages of one "
                    + "version as a table for a spreadsheet", letter: "o"),
            .flag(
                "shelf",
                "pages of all versions that refer to one another, in the directory -o: each version, and each against the one "
                    + "before"),
            .value(
                "explain", "STAGE",
                "also explain this stage, even if it has not changed; repeatable"),
        ],
        examples: [
            ("freeze-profile report v1.2.0 -o v1.2.0.html", "everything that was frozen of a version"),
            ("freeze-profile report v1.1.0..v1.2.0 -o diff.html", "a comparison to send around"),
            ("freeze-profile report --shelf -o site", "all versions, to be published as they are"),
        ],
        notes: [
            "A page is one file that loads nothing: it can be mailed and archived.",
            "With --shelf only pages that are missing or would differ are written, and those of versions that are gone are removed. "
                + "DIR/index.html is the first.",
            "Exit codes: 0 written, 64 wrong usage, 66 a profile is missing or cannot be read, 73 cannot write. What a "
                + "comparison finds is shown by 'diff'.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let store = ProfileStore(directory: arguments.value("profiles") ?? CaptureRequest.defaultDirectory)
        if arguments.has("shelf") { return try shelf(arguments, store.directory) }
        guard let operand = arguments.operands.first else {
            throw ToolFailure("Say which version: VERSION, FROM..TO, or --shelf for all.", .usage)
        }
        let isTable = arguments.value("output")?.lowercased().hasSuffix(".csv") ?? false
        guard !isTable || separator(in: operand) == nil else {
            throw ToolFailure(
                "A table is of one version; two are compared by 'diff --json' or as a page.", .usage)
        }
        let (bytes, name) =
            if let dots = separator(in: operand) {
                (
                    try comparison(
                        String(operand[..<dots.lowerBound]), String(operand[dots.upperBound...]), store,
                        arguments),
                    operand
                )
            } else {
                (try profile(operand, store, isTable: isTable), operand)
            }
        let output = arguments.value("output") ?? "\(Files.name(of: name)).html"
        try Console.deliver(bytes, to: output)
        if output != "-" { Console.note(output) }
        return .success
    }

    private static func shelf(
        _ arguments: ParsedArguments, _ profiles: String
    ) throws(ToolFailure) -> ExitCode {
        guard arguments.operands.isEmpty, let output = arguments.value("output"), output != "-" else {
            throw ToolFailure("--shelf is of all versions, and wants a directory: --shelf -o DIR.", .usage)
        }
        var asked = arguments
        asked.values["format"] = ["html"]
        let versions = try ShelfVersions(
            profiles, settings: ComparisonOptions.settings(arguments, profiles: profiles))
        var site = try ShelfSite(versions, output: output, report: DiffReport(asked))
        for problem in site.problems { Console.note("Left out: \(problem)") }
        try site.write()
        Console.note("\(output)/\(ShelfSite.first): \(site.written) pages written, \(site.kept) as they were")
        return .success
    }

    /// Two dots between two names; not those of a path such as `../v1.yaml`.
    private static func separator(in operand: String) -> Range<String.Index>? {
        operand.ranges(of: "..").first { range in
            range.lowerBound > operand.startIndex && range.upperBound < operand.endIndex
                && operand[operand.index(before: range.lowerBound)] != "/"
                && (operand[range.upperBound] != "/"
                    || operand[operand.index(before: range.lowerBound)] != ".")
        }
    }

    private static func load(_ reference: String, _ store: ProfileStore) throws(ToolFailure) -> FrozenProfile
    {
        do throws(ProfileError) {
            return try store.load(reference: reference)
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
    }

    private static func profile(
        _ reference: String, _ store: ProfileStore, isTable: Bool
    ) throws(ToolFailure) -> [UInt8] {
        let profile = try load(reference, store)
        if isTable { return StageCSV.write(profile) }
        let directory = StackArchive.directory(of: reference, in: store)
        return HTMLProfileReport.render(
            profile, stacks: StackArchive.stacks(of: profile, in: directory),
            timeline: TimelineArchive.timeline(of: profile, in: directory),
            tool: "freeze-profile \(toolVersion)")
    }

    private static func comparison(
        _ from: String, _ to: String, _ store: ProfileStore, _ arguments: ParsedArguments
    ) throws(ToolFailure) -> [UInt8] {
        let (older, newer) = (try load(from, store), try load(to, store))
        var arguments = arguments
        arguments.values["format"] = ["html"]
        arguments.values["output"] = arguments.values["output"] ?? ["report.html"]
        var settings = try ComparisonOptions.settings(arguments, profiles: store.directory)
        try ComparisonOptions.checkStages(settings, of: [older, newer])
        settings.ledger = try DiffCommand.ledger(arguments, for: [older, newer], profiles: store.directory)
        var comparison = Comparison(from: older, to: newer, settings: settings)
        let directories = (
            from: StackArchive.directory(of: from, in: store), to: StackArchive.directory(of: to, in: store)
        )
        StackArchive.explainCounts(&comparison, from: older, to: newer, directories: directories)
        let stacks = try DiffReport(arguments).explain(
            &comparison, from: older, to: newer, directories: directories)
        return HTMLComparisonReport.render(
            ComparisonReport(
                comparison, stacks: stacks, from: older, to: newer, tool: "freeze-profile \(toolVersion)"))
    }
}
