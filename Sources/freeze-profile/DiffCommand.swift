internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison
internal import ProfileStore

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
        options: ComparisonOptions.all + DiffReport.options + InterleavedRuns.options + [
            .value("profiles", "DIR", "where versions are looked up (default: data/profiles)"),
            .value("ledger", "FILE", "the noise between sessions (default: the one in ledger/ that applies)"),
            ShelfReading.option,
            .flag(
                "remeasure",
                "run both versions' recipes in turn now, and separate the machine's drift from the code's change"
            ),
            .value("a", "COMMAND", "what --remeasure runs as FROM (default: its recipe)"),
            .value("b", "COMMAND", "what --remeasure runs as TO (default: its recipe)"),
            .flag("yes", "let --remeasure run what profiles say that are not what was frozen"),
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
            "A session is one fresh start of a batch of runs. Only sessions show how far another one would be off: "
                + "with one a side the answer is 'inconclusive'. Other frozen versions of the same work on such a machine count: "
                + "how much their sessions and neighbours differ, apart from real steps, is the noise.",
            ComparisonOptions.exitCodes,
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let directory = arguments.value("profiles") ?? CaptureRequest.defaultDirectory
        let store = ProfileStore(directory: directory)
        let from = try load(arguments.operands[0], store)
        let to = try load(arguments.operands[1], store)
        var settings = try ComparisonOptions.settings(arguments, profiles: directory)
        try ComparisonOptions.checkStages(settings, of: [from, to])
        for reference in arguments.operands {
            if let file = try editedFile(reference, store) { settings.editedFiles.append(file) }
        }
        if arguments.has("remeasure") {
            return try ComparisonOptions.show(
                try Remeasuring(from, to, arguments).compare(settings), arguments)
        }
        settings.ledger = try ledger(arguments, for: [from, to], profiles: directory)
        if settings.ledger == nil, !arguments.has("no-shelf") {
            settings.shelf = ShelfReading(store, holding: arguments.operands[0]).noise(from: from, to: to)
        }
        var comparison = Comparison(from: from, to: to, settings: settings)
        comparison.from.file = try file(arguments.operands[0], store)
        comparison.to.file = try file(arguments.operands[1], store)
        let today = SystemClock.now.dateOnly
        if let warning = settings.ledger?.staleness(today: today) { comparison.notes.append(warning) }
        let directories = (
            from: StackArchive.directory(of: arguments.operands[0], in: store),
            to: StackArchive.directory(of: arguments.operands[1], in: store)
        )
        StackArchive.explainCounts(&comparison, from: from, to: to, directories: directories)
        let why = try DiffReport.explained(
            &comparison, from: from, to: to, directories: directories, arguments)
        return try ComparisonOptions.show(comparison, arguments, why: why)
    }

    /// Where a profile lies; nil where capture would put it anyway.
    private static func file(_ reference: String, _ store: ProfileStore) throws(ToolFailure) -> String? {
        do throws(ProfileError) {
            let (home, version) = try store.locate(reference: reference)
            let path = home.path(of: version)
            let usual = ProfileStore(directory: CaptureRequest.defaultDirectory).path(of: version)
            return path == usual ? nil : path
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
    }

    /// The file of a profile whose text is not the one that was written; nil for one that is as it was, or does not say.
    private static func editedFile(
        _ reference: String, _ store: ProfileStore
    ) throws(ToolFailure) -> ComparisonSettings.EditedFile? {
        do throws(ProfileError) {
            let (home, version) = try store.locate(reference: reference)
            let path = home.path(of: version)
            let bytes = try ProfileStore.read(path: path, .beside)
            if ContentDigest(of: bytes).agrees { return nil }
            let hasOtherEnds = ContentDigest.onlyLineEndsDiffer(bytes)
            return .init(path: path, cause: hasOtherEnds ? ContentDigest.lineEndsRemedy : nil)
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
    }

    /// The noise ledger that applies to some profiles, or the one that was named.
    static func ledger(
        _ arguments: ParsedArguments, for profiles: [FrozenProfile], profiles directory: String
    ) throws(ToolFailure) -> NoiseLedger? {
        do throws(NoiseLedger.Refusal) {
            if let file = arguments.value("ledger") { return try LedgerStore.load(file) }
            return try LedgerStore(profiles: directory).ledger(for: profiles)
        } catch {
            throw ToolFailure(error.description, .noInput)
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
}
