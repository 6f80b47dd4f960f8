internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison

/// Runs of commands for a comparison of today: measured like those of a capture, kept only until they are compared.
struct MeasuringRuns: ~Copyable {
    private let maker: RunMaker
    private let directory: String
    private var records: [String: [RunRecord]] = [:]

    init() throws(ToolFailure) {
        let maker = try Self.makeMaker()
        directory = try Self.makeDirectory()
        self.maker = maker
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
        // What cannot be removed is in the system's temporary directory, which somebody else sweeps.
        _ = Result { () throws(SystemError) in try Files.removeTree(directory) }
    }

    /// Makes a run and keeps its record.
    ///
    /// - Parameters:
    ///   - command: The command, with `{output_dir}` where the run's output directory belongs.
    ///   - kind: Warm-up or measured.
    ///   - session: The session's name; of a pair of commands, each has its own.
    ///   - datasetID: What the command works on, nil where nobody said.
    mutating func make(
        _ command: [String], _ kind: RunKind, session: String, datasetID: String? = nil
    ) throws(ToolFailure) {
        let index = (records[session]?.count ?? 0) + 1
        do {
            var request = RunRequest(
                command, kind: kind, session: try VersionName(session), index: index, toolVersion: toolVersion
            )
            request.datasetID = datasetID
            let place = "\(directory)/\(session)"
            try Files.createDirectories(place)
            records[session, default: []].append(try maker.make(request, into: place).record)
        } catch let error as CaptureError {
            throw ToolFailure(error.description, CaptureCommand.exitCode(error))
        } catch {
            throw ToolFailure("\(error)", .failed)
        }
    }

    /// The profile of some sessions' runs.
    func profile(_ release: String, sessions: [String]) throws(ToolFailure) -> FrozenProfile {
        do throws(ProfileError) {
            return try FrozenProfile(
                records: sessions.flatMap { records[$0] ?? [] }, release: try VersionName(release))
        } catch {
            throw ToolFailure(error.description, .failed)
        }
    }
}

/// Two commands run in turn and compared.
struct InterleavedRuns {
    var a: [String]
    var b: [String]
    var plan: InterleavedPlan

    /// The options that say how many pairs and in which order.
    static let options: [CommandSyntax.Option] = [
        .value(
            "pairs", "N",
            "pairs of runs that count, fixed beforehand (default: \(InterleavedPlan.defaultPairs))"),
        .flag(
            "grow",
            "where N pairs do not decide make more, up to 2.5 times as many, with the same error rate in all"),
        .value("seed", "N", "the number from which the random order follows (default: from the clock)"),
    ]

    static func plan(_ arguments: ParsedArguments) throws(ToolFailure) -> InterleavedPlan {
        let grows = arguments.has("grow")
        // Fewer can never decide, so the first look would be given away.
        let range =
            grows
            ? InterleavedTest.fewestRuns...InterleavedPlan.mostGrowingPairs : 1...InterleavedPlan.mostPairs
        let pairs = try whole(arguments, "pairs", in: range) ?? InterleavedPlan.defaultPairs
        let clock = Int(SystemClock.now.nanosecondsSinceEpoch / 1000 % 1_000_000)
        let seed = try whole(arguments, "seed", in: 0...Int.max) ?? clock
        return InterleavedPlan(pairs: pairs, seed: UInt64(seed), grows: grows)
    }

    /// The whole number of an option; nil when it was not given.
    static func whole(
        _ arguments: ParsedArguments, _ name: String, in range: ClosedRange<Int>
    ) throws(ToolFailure) -> Int? {
        guard let text = arguments.value(name) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw ToolFailure(
                "--\(name) is '\(PlainText.sanitized(text))', but should be a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound).", .usage)
        }
        return value
    }

    /// The command in a text.
    static func command(_ text: String, option: String) throws(ToolFailure) -> [String] {
        guard let words = CommandWords.split(text), !words.isEmpty else {
            throw ToolFailure(
                "--\(option) is '\(PlainText.sanitized(text))', which is no command: a quote is not closed, or it is empty.",
                .usage)
        }
        let name = words[0].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        if !name.isEmpty, words[0].dropFirst(name.count).first == "=" {
            throw ToolFailure(
                "--\(option) begins with '\(PlainText.sanitized(words[0]))', which a shell would take for a variable, but there is "
                    + "no shell here. Write --\(option) 'env \(PlainText.sanitized(text))'.", .usage)
        }
        return words
    }

    /// Makes all runs and compares them.
    ///
    /// - Parameter names: What the two commands are called in the report.
    func compare(
        names: (a: String, b: String), settings: ComparisonSettings
    ) throws(ToolFailure) -> Comparison {
        var runs = try MeasuringRuns()
        var made = 0
        var latest: Comparison?
        for look in plan.looks {
            for step in plan.steps[made...].prefix(2 * (look.pairs + 1) - made) {
                made += 1
                try make(step, number: made, in: &runs)
                // After the first pair that counts, before time is spent on the others.
                if made == 4 { try ComparisonOptions.checkStages(settings, of: try profiles(runs)) }
            }
            let sides = try profiles(runs)
            latest = Comparison(
                interleaved: sides[0], with: sides[1], plan: plan, look: look, settings: settings)
            if latest?.isDecided == true { break }
        }
        guard var comparison = latest else { throw ToolFailure("The plan has no runs.", .usage) }
        comparison.from.release = names.a
        comparison.to.release = names.b
        comparison.notes.append("a is: \(a.joined(separator: " "))")
        comparison.notes.append("b is: \(b.joined(separator: " "))")
        return comparison
    }

    private func profiles(_ runs: borrowing MeasuringRuns) throws(ToolFailure) -> [FrozenProfile] {
        [try runs.profile("a", sessions: ["a"]), try runs.profile("b", sessions: ["b"])]
    }

    private func make(
        _ step: InterleavedPlan.Step, number: Int, in runs: inout MeasuringRuns
    ) throws(ToolFailure) {
        let pair = step.isWarmUp ? "warm-up" : "pair \(step.pair) of \(plan.pairs)"
        let most = plan.looks.count > 1 ? " at most" : ""
        Console.note("run \(number) of \(plan.steps.count)\(most): \(pair), \(step.command.rawValue)")
        try runs.make(
            step.command == .a ? a : b, step.isWarmUp ? .warmUp : .measured, session: step.command.rawValue)
    }
}
