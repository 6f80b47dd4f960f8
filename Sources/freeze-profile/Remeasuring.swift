internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison
internal import ProfileStore

/// Both versions' commands, to be run in turn now: those of their recipes, or those that the user names.
struct Remeasuring {
    private let from: FrozenProfile
    private let to: FrozenProfile
    private let arguments: ParsedArguments
    private let a: [String]
    private let b: [String]

    /// The commands; refused where they are one and the same, or where a profile that says them is not what was frozen.
    init(
        _ from: FrozenProfile, _ to: FrozenProfile, _ arguments: ParsedArguments
    ) throws(ToolFailure) {
        self.from = from
        self.to = to
        self.arguments = arguments
        try Self.requireVerified(arguments)
        a = try Self.command(of: from, arguments, option: "a")
        b = try Self.command(of: to, arguments, option: "b")
        guard a != b else {
            throw ToolFailure(
                "Both versions are measured by the same command, '\(PlainText.sanitized(a.joined(separator: " ")))', so "
                    + "running it twice would compare it with itself. Say where the old program is: --a 'COMMAND'.",
                .usage)
        }
    }

    /// Makes the runs and compares them, beside what was frozen.
    ///
    /// - Parameters:
    ///   - plan: How many pairs and in which order; nil for what the command line says.
    ///   - limit: For how long at most.
    func compare(
        _ settings: ComparisonSettings, plan: InterleavedPlan? = nil, limit: Duration? = nil
    ) throws(ToolFailure) -> Comparison {
        let order: InterleavedPlan
        if let plan { order = plan } else { order = try InterleavedRuns.plan(arguments) }
        var runs = InterleavedRuns(
            a: a, b: b, plan: order,
            input: try RunInput(arguments, recipes: [from, to].compactMap(\.recipe)))
        runs.limit = limit
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
                "\(PlainText.sanitized(profile.release)) does not say by which command it was measured. "
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
                    "'\(PlainText.sanitized(path))' is not what was frozen, and would be asked what to run. "
                        + "See 'freeze-profile verify \(PlainText.sanitized(reference))'; give the command with --\(option) 'COMMAND', "
                        + "or confirm with --yes.", .noInput)
            }
        }
    }
}
