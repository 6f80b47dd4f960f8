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
            .flag(
                "remeasure",
                "run both versions' recipes in turn now, and tell the machine's drift from the code's"),
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
            "A session is one fresh start of a batch of runs. Only sessions tell how far another one would be off: "
                + "with one a side the answer is 'inconclusive'.",
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
            return try ComparisonOptions.show(try remeasure(from, to, settings, arguments), arguments)
        }
        settings.ledger = try ledger(arguments, for: [from, to], profiles: directory)
        var comparison = Comparison(from: from, to: to, settings: settings)
        comparison.from.file = try file(arguments.operands[0], store)
        comparison.to.file = try file(arguments.operands[1], store)
        let today = SystemClock.now.dateOnly
        if let warning = settings.ledger?.staleness(today: today) { comparison.notes.append(warning) }
        StackArchive.explainCounts(&comparison, from: from, to: to, operands: arguments.operands, in: store)
        let why = try DiffReport.explained(&comparison, from: from, to: to, store: store, arguments)
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

    /// The file of a profile whose text is not the one that was written; nil for one that is as it was, or does not tell.
    private static func editedFile(_ reference: String, _ store: ProfileStore) throws(ToolFailure) -> String?
    {
        do throws(ProfileError) {
            let (home, version) = try store.locate(reference: reference)
            let path = home.path(of: version)
            return ContentDigest(of: try ProfileStore.read(path: path, .beside)).agrees ? nil : path
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

    /// Both versions' commands in turn now, beside what was frozen of them.
    private static func remeasure(
        _ from: FrozenProfile, _ to: FrozenProfile, _ settings: ComparisonSettings,
        _ arguments: ParsedArguments
    ) throws(ToolFailure) -> Comparison {
        try requireVerified(arguments)
        let a = try command(of: from, arguments, option: "a")
        let b = try command(of: to, arguments, option: "b")
        guard a != b else {
            throw ToolFailure(
                "Both versions are measured by the same command, '\(PlainText.sanitized(a.joined(separator: " ")))', so "
                    + "running it twice would compare it with itself. Say where the old program is: --a 'COMMAND'.",
                .usage)
        }
        let runs = InterleavedRuns(a: a, b: b, plan: try InterleavedRuns.plan(arguments))
        for (release, words) in [(from.release, a), (to.release, b)] {
            let line = ShellWords.line(SecretRedaction(words).words)
            Console.note(
                "\(PlainText.sanitized(release, maximumCharacters: 60)) runs: \(PlainText.sanitized(line, maximumCharacters: 4096))"
            )
        }
        var now = try runs.compare(names: (from.release, to.release), settings: settings)
        now.remeasurement = Remeasurement(from: from, to: to, now: now)
        return now
    }

    private static func command(
        of profile: FrozenProfile, _ arguments: ParsedArguments, option: String
    ) throws(ToolFailure) -> [String] {
        if let text = arguments.value(option) { return try InterleavedRuns.command(text, option: option) }
        guard let words = profile.recipe?.arguments, !words.isEmpty else {
            throw ToolFailure(
                "\(PlainText.sanitized(profile.release)) does not tell by which command it was measured. "
                    + "Say it: --\(option) 'COMMAND'.", .usage)
        }
        guard !words.contains(where: { $0.contains(SecretRedaction.mark) }) else {
            throw ToolFailure(
                "The command of \(PlainText.sanitized(profile.release)) was stored without its secrets. Say it: --\(option) "
                    + "'COMMAND'.", .usage)
        }
        let home = CurrentProcess.environmentVariable("HOME")
        return words.map { HomePath.expanded($0, home: home) }
    }

    /// A profile says what is run. One that is not what was frozen may say anything.
    private static func requireVerified(_ arguments: ParsedArguments) throws(ToolFailure) {
        guard !arguments.has("yes") else { return }
        let store = ProfileStore(directory: arguments.value("profiles") ?? CaptureRequest.defaultDirectory)
        for (reference, option) in zip(arguments.operands, ["a", "b"]) where arguments.value(option) == nil {
            let path: String
            let passes: Bool
            do throws(ProfileError) {
                path = try store.path(reference: reference)
                passes = try Verification.verify(path: path, ProfileStore.trust(reference: reference))
                    .verification.passes(allowingEdited: false)
            } catch {
                throw ToolFailure(error.description, .noInput)
            }
            guard passes else {
                throw ToolFailure(
                    "'\(PlainText.sanitized(path))' is not what was frozen, and --remeasure would run the command that it says. "
                        + "See 'freeze-profile verify \(PlainText.sanitized(reference))'; give the command with --\(option) 'COMMAND', "
                        + "or confirm with --yes.", .noInput)
            }
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
