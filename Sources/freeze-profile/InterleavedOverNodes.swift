internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison
internal import SlurmEngine

/// Two commands run in turn on the nodes of a cluster: every pair on one node, the pairs spread over nodes, one result.
enum InterleavedOverNodes {
    /// The options that say where.
    static let options: [CommandSyntax.Option] =
        SlurmOptions.all + [
            .value("records", "DIR", "with --engine slurm: where run records go, seen by all nodes"),
            .value("session", "ID", "with --records-only: a name for these pairs"),
        ]

    /// The fewest pairs that a node makes: with one nothing is repeated there.
    private static let fewestPairs = 2

    private static let notOverNodes = [
        "count", "count-runs", "stack-runs", "explain", "flamegraph", "format", "output", "grow", "keep",
    ]

    /// Whether pairs are made by Slurm, or for it.
    static func isWanted(_ arguments: ParsedArguments) throws(ToolFailure) -> Bool {
        let isWanted = try SlurmOptions.isWanted(arguments)
        guard isWanted || arguments.has("records-only") else {
            if let option = ["records", "session"].first(where: { arguments.value($0) != nil }) {
                throw ToolFailure("--\(option) goes with --engine slurm.", .usage)
            }
            return false
        }
        if let option = notOverNodes.first(where: { arguments.has($0) || arguments.value($0) != nil }) {
            throw ToolFailure(
                "--\(option) does not go with --engine slurm. Run 'freeze-profile ab' with it on one node.",
                .usage)
        }
        guard arguments.value("records") != nil else {
            throw ToolFailure(
                "Say where run records go, a directory that all nodes see: --records DIR.", .usage)
        }
        return true
    }

    /// Makes the pairs of one node, which another command compares: what a task of a job runs.
    static func makeRecords(
        _ arguments: ParsedArguments, _ runs: InterleavedRuns
    ) throws(ToolFailure) -> ExitCode {
        guard let session = arguments.value("session"), let directory = arguments.value("records") else {
            throw ToolFailure("Say whose pairs these are: --records-only --records DIR --session ID.", .usage)
        }
        var runs = runs
        runs.kept = "\(directory)/\(session)"
        // Each node tosses its own coin.
        let slot = SessionAttempt(session: session)?.slot ?? 0
        runs.plan = plan(runs.plan.pairs, seed: runs.plan.seed, slot: slot)
        try runs.makeRecords()
        return .success
    }

    private static func plan(_ pairs: Int, seed: UInt64, slot: Int) -> InterleavedPlan {
        InterleavedPlan(pairs: pairs, seed: seed &+ UInt64(slot) &* 1_000_003)
    }

    /// Has the pairs made, and compares them.
    static func compare(
        _ arguments: ParsedArguments, _ runs: InterleavedRuns, _ settings: ComparisonSettings
    ) throws(ToolFailure) -> Comparison {
        let (options, sessions) = try SlurmOptions.place(arguments)
        let pairs = max(fewestPairs, (runs.plan.pairs + sessions - 1) / sessions)
        let seed = arguments.value("seed") == nil ? standardSeed(runs) : runs.plan.seed
        do {
            var request = SlurmRequest(
                version: try VersionName("ab"), sessions: sessions,
                sessionCommand: sessionCommand(arguments, pairs: pairs, seed: seed), pipeline: [])
            request.options = options
            request.retries = try arguments.whole("retries", in: 0...100) ?? request.retries
            request.recordsDirectory = arguments.value("records")
            request.continuation = ShellWords.line(CurrentProcess.arguments)
            let progress = CaptureProgress()
            var capture = SlurmCapture(request, report: progress.show)
            let made = try capture.makeSessions()
            return try comparison(of: made, runs, pairs: pairs, seed: seed, settings)
        } catch let error as CaptureError {
            throw ToolFailure(error.description, CaptureCommand.exitCode(error))
        } catch let error as ToolFailure {
            throw error
        } catch {
            throw ToolFailure("\(error)", .failed)
        }
    }

    /// The same commands get the same order: so the same command finds its job again.
    private static func standardSeed(_ runs: InterleavedRuns) -> UInt64 {
        (runs.a + [""] + runs.b).joined(separator: "\0").utf8.reduce(0) {
            ($0 &* 31 &+ UInt64($1)) % 1_000_003
        }
    }

    private static func sessionCommand(
        _ arguments: ParsedArguments, pairs: Int, seed: UInt64
    ) -> [String] {
        var words = [
            CurrentProcess.executable, "ab", "--pairs=\(pairs)", "--seed=\(seed)",
        ]
        for option in ["a", "b", RunInput.name, EnvironmentOption.option.name] {
            words += (arguments.values[option] ?? []).map { "--\(option)=\($0)" }
        }
        return words
    }

    private static func comparison(
        of made: [MadeSession], _ runs: InterleavedRuns, pairs: Int, seed: UInt64,
        _ settings: ComparisonSettings
    ) throws -> Comparison {
        func side(_ command: InterleavedPlan.Command) throws -> FrozenProfile {
            let records = try made.flatMap { session -> [RunRecord] in
                let name = try VersionName(session.name)
                return session.records.filter { $0.session.text == command.rawValue }.map { record in
                    var record = record
                    // The pairs of a node are one session on each side, of the same name.
                    record.session = name
                    return record
                }
            }
            return try FrozenProfile(records: records, release: try VersionName(command.rawValue))
        }
        let plans = made.map { session in
            plan(pairs, seed: seed, slot: SessionAttempt(session: session.name)?.slot ?? 0)
        }
        let joined = InterleavedPlan(joining: plans, seed: seed)
        let (a, b) = (try side(.a), try side(.b))
        try ComparisonOptions.checkStages(settings, of: [a, b])
        var comparison = Comparison(
            interleaved: a, with: b, plan: joined, look: joined.looks[0], settings: settings)
        let nodes = Dictionary(grouping: a.sessions.compactMap { $0.place?.node }) { $0 }
            .map { ($0.key, $0.value.count * pairs) }.sorted { $0.0 < $1.0 }
            .map { "\(PlainText.sanitized($0.0, maximumCharacters: 60)) \($0.1)" }
        comparison.notes.append("a is: \(runs.a.joined(separator: " "))")
        comparison.notes.append("b is: \(runs.b.joined(separator: " "))")
        comparison.notes.append(
            "Both runs of a pair were made on one node, and only runs of one session are compared. Pairs by node: "
                + "\(nodes.joined(separator: ", ")).")
        return comparison
    }
}
