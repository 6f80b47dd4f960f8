internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import InstructionCounting
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison

/// Runs of commands for a comparison of today: measured like those of a capture, and kept until they are compared, or in a
/// directory that the user named.
struct MeasuringRuns: ~Copyable {
    private let maker: RunMaker
    private let directory: String
    private let standardInput: String?
    private let isKept: Bool
    private var records: [String: [RunRecord]] = [:]
    /// Who counts instructions, or why none does.
    var countingEngine = Reading<any CountingEngine>.unavailable(reason: "no engine was asked for")
    /// Variables of the environment that belong to the recipe.
    var environmentNames: [String] = []
    /// Who takes the stacks of profiled runs.
    private static let sampler = CaptureRequest.Sampler.native

    /// - Parameters:
    ///   - input: What each run reads as its standard input.
    ///   - kept: A directory for the records and profiles, made if it is not there; nil for one that is removed.
    init(_ input: RunInput, keptIn kept: String? = nil) throws(ToolFailure) {
        let file = try input.requiredFile()
        let directory = if let kept { try Self.prepare(kept) } else { try Self.makeDirectory() }
        let maker = try Self.makeMaker()
        self.directory = directory
        isKept = kept != nil
        self.maker = maker
        standardInput = file
    }

    /// Makes the directory. One that is not empty is refused: the user may need its profiles or records.
    private static func prepare(_ path: String) throws(ToolFailure) -> String {
        let names: [String]
        do throws(SystemError) {
            try Files.createDirectories(path)
            names = try Files.names(inDirectory: path)
        } catch {
            throw ToolFailure(error.description, .cannotWrite)
        }
        guard names.isEmpty else {
            throw ToolFailure(
                "'\(PlainText.sanitized(path))' is not empty. Name a new directory, or remove what is in it.",
                .cannotWrite)
        }
        return path
    }

    private static func makeMaker() throws(ToolFailure) -> RunMaker {
        do throws(CaptureError) {
            return try RunMaker()
        } catch {
            throw ToolFailure(error.description, CaptureCommand.exitCode(error))
        }
    }

    private static func makeDirectory() throws(ToolFailure) -> String {
        do throws(SystemError) {
            let parent = CurrentProcess.environmentVariable("TMPDIR") ?? "/tmp"
            return try Files.createTemporaryDirectory(prefix: "\(parent)/freeze-profile.")
        } catch {
            throw ToolFailure(error.description, .cannotWrite)
        }
    }

    deinit {
        guard !isKept else { return }
        Files.discardTree(directory)
    }

    /// Makes a run and keeps its record.
    ///
    /// - Parameters:
    ///   - command: The command, with `{output_dir}` where the run's output directory belongs.
    ///   - kind: What the run is for.
    ///   - session: The session's name; of a pair of commands, each has its own.
    ///   - datasetID: What the command works on, nil if not given.
    mutating func make(
        _ command: [String], _ kind: RunKind, session: String, datasetID: String? = nil
    ) throws(ToolFailure) {
        let index = (records[session]?.count ?? 0) + 1
        do {
            var request = RunRequest(
                command, kind: kind, session: try VersionName(session), index: index, toolVersion: toolVersion
            )
            request.datasetID = datasetID
            request.standardInput = standardInput
            request.sampler = Self.sampler
            request.countingEngine = countingEngine
            request.environmentNames = environmentNames
            let place = records(of: session)
            try Files.createDirectories(place)
            records[session, default: []].append(try maker.make(request, into: place).record)
        } catch let error as CaptureError {
            throw ToolFailure(error.description, CaptureCommand.exitCode(error))
        } catch {
            throw ToolFailure("\(error)", .failed)
        }
    }

    /// Where the records of a session lie.
    private func records(of session: String) -> String { "\(directory)/records/\(session)" }

    /// Where the profiles lie that ``freeze(_:)`` makes.
    var place: String { directory }

    /// The profile of some sessions' runs.
    func profile(_ release: String, sessions: [String]) throws(ToolFailure) -> FrozenProfile {
        do throws(ProfileError) {
            return try FrozenProfile(
                records: sessions.flatMap { records[$0] ?? [] }, release: try VersionName(release))
        } catch {
            throw ToolFailure(error.description, .failed)
        }
    }

    /// The profile of a session's runs with its companions, in ``place``, as `SESSION.yaml`.
    func freeze(_ session: String) throws(ToolFailure) -> FrozenProfile {
        do {
            var freezing = RecordFreezing([records(of: session)], as: try VersionName(session))
            freezing.output = "\(directory)/\(session).yaml"
            return try freezing.run().profile
        } catch let error as CaptureError {
            throw ToolFailure(error.description, CaptureCommand.exitCode(error))
        } catch {
            throw ToolFailure("\(error)", .failed)
        }
    }
}

/// Two commands run in turn and compared.
struct InterleavedRuns {
    var a: [String]
    var b: [String]
    var plan: InterleavedPlan
    /// What each run reads as its standard input.
    var input: RunInput
    /// Runs of each command whose stacks are sampled, after the pairs.
    var stackRuns = 0
    /// Runs of each command whose instructions are counted, after the pairs.
    var countRuns = 0
    /// Variables of the environment that belong to the recipe.
    var environmentNames: [String] = []
    /// Where records and profiles are kept; nil to remove them.
    var kept: String?
    /// For how long runs are made at most: after the first that counts no pair begins that would last
    /// longer, by what the others took; nil for no limit.
    var limit: Duration?

    /// The options that say how many pairs and in which order.
    static let options: [CommandSyntax.Option] = [
        .value(
            "pairs", "N",
            "pairs of runs that count, fixed beforehand (default: \(InterleavedPlan.defaultPairs))"),
        .flag(
            "grow",
            "where N pairs do not decide make more, up to 2.5 times as many, with the same error rate in all"),
        .value("seed", "N", "the number from which the random order follows (default: from the clock)"),
        RunInput.option,
    ]

    static func plan(
        _ arguments: ParsedArguments, default usual: Int = InterleavedPlan.defaultPairs
    ) throws(ToolFailure) -> InterleavedPlan {
        let grows = arguments.has("grow")
        // Fewer can never decide, so the first look would be given away.
        let range =
            grows
            ? InterleavedTest.fewestRuns...InterleavedPlan.mostGrowingPairs : 1...InterleavedPlan.mostPairs
        let pairs = try arguments.whole("pairs", in: range) ?? max(usual, range.lowerBound)
        let clock = Int(SystemClock.now.nanosecondsSinceEpoch / 1000 % 1_000_000)
        let seed = try arguments.whole("seed", in: 0...Int.max) ?? clock
        return InterleavedPlan(pairs: pairs, seed: UInt64(seed), grows: grows)
    }

    /// The command in a text.
    static func command(_ text: String, option: String) throws(ToolFailure) -> [String] {
        guard let words = CommandWords.split(text), !words.isEmpty else {
            throw ToolFailure(
                "--\(option) is '\(PlainText.sanitized(text))', which is no command: a quote is not closed, or it is empty.",
                .usage)
        }
        try EnvironmentOption.refuseAssignment(words, option: option)
        let characters = CommandWords.shellCharacters(text).map { "'\($0)'" }
        if !characters.isEmpty {
            let shown = SecretRedaction([text]).words[0]
            let shell = ShellWords.line(["--\(option)", ShellWords.line(["sh", "-c", shown])])
            Console.note(
                "Note: --\(option) has \(characters.joined(separator: ", ")) outside quotes, which only a shell acts on. "
                    + "There is none here, so the program gets this as an argument. For a shell: \(shell)")
        }
        return words
    }

    /// Makes all runs and compares them.
    ///
    /// - Parameters:
    ///   - names: What the two commands are called in the report.
    ///   - finish: Given the comparison, both sides' profiles and the directory that they and their companions lie in.
    func compare(
        names: (a: String, b: String), settings: ComparisonSettings,
        finish: (inout Comparison, _ from: FrozenProfile, _ to: FrozenProfile, _ directory: String)
            throws(ToolFailure) -> Void = { _, _, _, _ in }
    ) throws(ToolFailure) -> Comparison {
        var input = input
        input.noteUnread()
        let extra = 2 * (stackRuns + countRuns)
        var runs = try MeasuringRuns(input, keptIn: kept)
        runs.environmentNames = environmentNames
        if countRuns > 0 { runs.countingEngine = .value(try Self.countingEngine()) }
        var progress = PairProgress(steps: plan.steps.count, extra: extra)
        var made = 0
        var latest: Comparison?
        let began = SystemClock.monotonicNanoseconds
        func mayGoOn() -> Bool {
            guard let limit, made >= 4, made % 2 == 0 else { return true }
            let passed = Duration.nanoseconds(SystemClock.monotonicNanoseconds - began)
            return passed + passed / (made / 2) <= limit
        }
        for var look in plan.looks {
            for step in plan.steps[made...].prefix(2 * (look.pairs + 1) - made) {
                guard mayGoOn() else { break }
                made += 1
                try make(step, progress: &progress, in: &runs)
                // After the first pair that counts, before time is spent on the others.
                if made == 4 { try ComparisonOptions.checkStages(settings, of: try profiles(runs)) }
            }
            let isCut = made < 2 * (look.pairs + 1)
            if isCut { look.pairs = made / 2 - 1 }
            let sides = try profiles(runs)
            latest = Comparison(
                interleaved: sides[0], with: sides[1], plan: plan, look: look, settings: settings)
            if latest?.isDecided == true || isCut { break }
        }
        input.noteUnread()
        guard var comparison = latest else { throw ToolFailure("The plan has no runs.", .usage) }
        for (kind, count) in [(RunKind.profiled, stackRuns), (.counted, countRuns)] {
            for run in 0..<count {
                for (command, session) in [(a, "a"), (b, "b")] {
                    try progress.run("\(kind.rawValue) \(run + 1) of \(count), \(session)") {
                        () throws(ToolFailure) in
                        try runs.make(command, kind, session: session)
                    }
                }
            }
        }
        comparison.from.release = names.a
        comparison.to.release = names.b
        comparison.notes.append("a is: \(SecretRedaction(a).words.joined(separator: " "))")
        comparison.notes.append("b is: \(SecretRedaction(b).words.joined(separator: " "))")
        let (from, to) = (try runs.freeze("a"), try runs.freeze("b"))
        comparison.addCounts(from: from, to: to)
        try finish(&comparison, from, to, runs.place)
        return comparison
    }

    /// Makes the runs of all pairs, whose records stay where ``kept`` says.
    func makeRecords() throws(ToolFailure) {
        var input = input
        input.noteUnread()
        var measuring = try MeasuringRuns(input, keptIn: kept)
        measuring.environmentNames = environmentNames
        var progress = PairProgress(steps: plan.steps.count, extra: 0)
        for step in plan.steps { try make(step, progress: &progress, in: &measuring) }
    }

    private static func countingEngine() throws(ToolFailure) -> any CountingEngine {
        do throws(CountingError) {
            return try CountingEngines.first()
        } catch {
            throw ToolFailure("No instructions can be counted. \(error.description)", .failed)
        }
    }

    private func profiles(_ runs: borrowing MeasuringRuns) throws(ToolFailure) -> [FrozenProfile] {
        [try runs.profile("a", sessions: ["a"]), try runs.profile("b", sessions: ["b"])]
    }

    private func make(
        _ step: InterleavedPlan.Step, progress: inout PairProgress, in runs: inout MeasuringRuns
    ) throws(ToolFailure) {
        let pair = step.isWarmUp ? "warm-up" : "pair \(step.pair) of \(plan.pairs)"
        let most = plan.looks.count > 1 ? " at most" : ""
        try progress.run("\(pair)\(most), \(step.command.rawValue)") { () throws(ToolFailure) in
            try runs.make(
                step.command == .a ? a : b, step.isWarmUp ? .warmUp : .measured,
                session: step.command.rawValue)
        }
    }
}

/// Prints which run begins, and about how long the rest takes.
struct PairProgress {
    private let total: Int
    private var done = 0
    private var spent = 0.0

    /// - Parameters:
    ///   - steps: Runs in pairs.
    ///   - extra: Runs after them.
    init(steps: Int, extra: Int) {
        total = steps + extra
    }

    /// Makes a run.
    mutating func run(_ what: String, _ action: () throws(ToolFailure) -> Void) throws(ToolFailure) {
        let left = done == 0 ? nil : Duration.seconds(spent / Double(done) * Double(total - done))
        Console.note(
            "run \(done + 1) of \(total): \(what)" + (left.map { ", about \($0.readable) left" } ?? ""))
        let began = SystemClock.monotonicNanoseconds
        try action()
        spent += Duration(nanosecondCount: SystemClock.monotonicNanoseconds - began).inSeconds
        done += 1
    }
}
