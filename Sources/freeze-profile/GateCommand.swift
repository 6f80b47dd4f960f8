internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison
internal import ProfileReport
internal import ProfileStore

/// `freeze-profile gate`: whether a version may be released, by what it costs and what was agreed on.
enum GateCommand {
    static let command = Tool.Command("gate", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let shared: Set = ["budget", "floor", "count-budget", "rules", "allow"]

    private static let syntax = CommandSyntax(
        name: "freeze-profile gate",
        summary: "Decides whether a version may be released: every stage is judged, agreements count.",
        operands: .named(["FROM", "TO"], required: 2),
        options: [
            .value("accept", "STAGE.METRIC", "accept this regression; STAGE is total for the whole run"),
            .value("until", "DATE", "the last day of the acceptance, as 2026-12-31"),
            .value("reason", "TEXT", "why it is accepted"),
            .value("owner", "NAME", "who will bring the cost back"),
            .value("link", "URL", "where that is tracked"),
            .value(
                "undecided", "POLICY",
                "what an inconclusive row does: fail (exit 2), warn, or measure: make more runs of both sides (default: fail)"
            ).among(GateDecision.UndecidedPolicy.allCases.map(\.rawValue)),
            .value(
                "measure-seconds", "S",
                "with --undecided measure: for how long at most (default: \(GateMeasuring.standardSeconds))"),
            .value("a", "COMMAND", "what --undecided measure runs as FROM (default: its recipe)"),
            .value("b", "COMMAND", "what --undecided measure runs as TO (default: its recipe)"),
            RunInput.option,
            .value("removed", "STAGE", "this stage is gone on purpose; repeatable"),
            .value("agreements", "FILE", "what was agreed on (default: gate.yaml beside the profiles)"),
            .value("markdown", "FILE", "write a comment for a pull request"),
            .value("junit", "FILE", "write JUnit XML for a build server"),
            .flag("github", "print annotations of GitHub Actions"),
            .value("profiles", "DIR", "where versions are looked up (default: data/profiles)"),
            .value("ledger", "FILE", "the noise between sessions (default: the one in ledger/ that applies)"),
            ShelfReading.option,
        ] + ComparisonOptions.all.filter { shared.contains($0.name) },
        examples: [
            ("freeze-profile gate v1.1.0 v1.2.0 --junit gate.xml", "in a build"),
            (
                "freeze-profile gate v1.1.0 v1.2.0 --accept transcription.wall --until 2026-12-31 "
                    + "--reason 'larger model' --owner ann --link https://example.org/42",
                "accept one regression for a while"
            ),
        ],
        notes: [
            "An acceptance is for one metric of one stage, up to what TO costs plus the budget. It ends on its date, and "
                + "lapses when a version has the cost back. It is written to gate.yaml, which belongs in the repository.",
            "Nothing is decided (exit 3) when something is missing, damaged, too old or cannot be read, or when FROM is "
                + "itself regressed and that was not accepted.",
            "Exit codes: 0 passed, 1 regressed, 2 undecided, 3 no decision, with the reason, 64 wrong usage, 73 an output "
                + "cannot be written.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let policy = try policy(arguments)
        let request = try AcceptanceRequest(arguments)
        var decision: GateDecision
        do throws(ToolFailure) {
            decision = try decide(arguments, policy, request)
        } catch {
            // What cannot be read is no reason to pass, and build servers have to see why.
            guard error.exitCode == .noInput else { throw error }
            decision = GateDecision(
                from: arguments.operands[0], to: arguments.operands[1], refusal: error.message)
        }
        return try show(decision, arguments)
    }

    private static func policy(
        _ arguments: ParsedArguments
    ) throws(ToolFailure) -> GateDecision.UndecidedPolicy {
        let policy: GateDecision.UndecidedPolicy = try arguments.choice("undecided") ?? .fail
        guard policy != .measure else { return policy }
        for option in ["measure-seconds", "a", "b", RunInput.name] where arguments.value(option) != nil {
            throw ToolFailure("--\(option) belongs to --undecided measure.", .usage)
        }
        return policy
    }

    private static func decide(
        _ arguments: ParsedArguments, _ policy: GateDecision.UndecidedPolicy, _ request: AcceptanceRequest?
    ) throws(ToolFailure) -> GateDecision {
        let reading = GateReading(arguments)
        var (agreements, file) = try reading.agreements()
        var (evidence, notes) = try reading.evidence(policy)
        if policy == .measure {
            let measuring = try GateMeasuring(arguments, reading)
            notes += try measuring.settle(&evidence, agreements: agreements)
        }
        if let request {
            let before = GateDecision(evidence, agreements: agreements, undecided: policy)
            guard before.refusals.isEmpty else {
                var refused = before
                refused.note("Nothing was accepted.")
                return refused
            }
            agreements.accept(try request.acceptance(of: evidence))
            try write(agreements, to: file)
            Console.note(file)
        }
        var decision = GateDecision(evidence, agreements: agreements, undecided: policy)
        for note in notes { decision.note(note) }
        return decision
    }

    private static func write(_ agreements: GateAgreements, to file: String) throws(ToolFailure) {
        do throws(SystemError) {
            let destination = try OutputDestination(file)
            guard let path = destination.regularFile else {
                return try destination.write(agreements.encode())
            }
            try Files.replace(path, with: agreements.encode(), durably: true)
        } catch {
            throw ToolFailure(error.description, .cannotWrite)
        }
    }

    private static func show(
        _ decision: GateDecision, _ arguments: ParsedArguments
    ) throws(ToolFailure) -> ExitCode {
        if let file = arguments.value("markdown") {
            try Console.deliver(GateMarkdown.render(decision), to: file)
        }
        if let file = arguments.value("junit") {
            try Console.deliver(
                GateJUnit.render(decision, at: SystemClock.now.iso8601WithoutFraction), to: file)
        }
        let owned = ["markdown", "junit"].contains { arguments.value($0) == "-" }
        if arguments.has("github") {
            Console.print(GateAnnotations.render(decision))
        } else if !owned {
            Console.print(GateText.render(decision))
        }
        return switch decision.verdict {
        case .passed: .success
        case .regressed: .regressed
        case .undecided: .inconclusive
        case .refused: .notComparable
        }
    }
}

/// What `--accept` asks for.
private struct AcceptanceRequest {
    let target: GateAgreements.Target
    let until: CalendarDay
    let reason: String
    let owner: String
    let link: String

    /// The request of a command line; nil where there is none.
    init?(_ arguments: ParsedArguments) throws(ToolFailure) {
        let details = ["until", "reason", "owner", "link"]
        guard let text = arguments.value("accept") else {
            if let lone = details.first(where: { arguments.value($0) != nil }) {
                throw ToolFailure("--\(lone) belongs to --accept STAGE.METRIC.", .usage)
            }
            return nil
        }
        guard arguments.values["accept"]?.count == 1 else {
            throw ToolFailure("Accept one regression at a time: each has a reason of its own.", .usage)
        }
        func required(_ name: String) throws(ToolFailure) -> String {
            guard let text = arguments.value(name), text.contains(where: { !$0.isWhitespace }),
                text.count <= 1000
            else { throw ToolFailure("--accept needs --\(name), of 1 to 1000 characters.", .usage) }
            return text
        }
        target = try AcceptanceRequest.target(text)
        reason = try required("reason")
        owner = try required("owner")
        link = try required("link")
        let day = try required("until")
        guard let until = CalendarDay(day) else {
            throw ToolFailure(
                "--until is '\(PlainText.sanitized(day))', but should be a day such as 2026-12-31.", .usage)
        }
        self.until = until
    }

    private static func target(_ text: String) throws(ToolFailure) -> GateAgreements.Target {
        // A stage's name may have dots, a metric's has none.
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let metric = GateAgreements.metrics.first { $0.optionName == parts.last || $0.rawValue == parts.last }
        let name = parts.dropLast().joined(separator: ".")
        guard parts.count > 1, let metric, let stage = StageName(name) else {
            throw ToolFailure(
                "--accept is '\(PlainText.sanitized(text))', but should be STAGE.METRIC with the metric wall, cpu, rss or instructions, "
                    + "such as transcription.wall or total.rss.", .usage)
        }
        return GateAgreements.Target(stage: name == "total" ? nil : stage, metric: metric)
    }

    /// The acceptance, of a row that is regressed.
    func acceptance(of evidence: GateEvidence) throws(ToolFailure) -> GateAgreements.Acceptance {
        guard until >= evidence.today else {
            throw ToolFailure("--until \(until) is over already.", .usage)
        }
        guard evidence.today.days(to: until) <= 366 else {
            throw ToolFailure("--until \(until) is more than 366 days from now.", .usage)
        }
        let comparison = evidence.comparison
        guard
            let row = comparison.gateRow(of: target), row.verdict == .regressed,
            let typical = row.from?.value, let new = row.to?.value
        else {
            throw ToolFailure("\(target) is not regressed, so there is nothing to accept.", .usage)
        }
        // The cost as it is frozen, which is what a later gate finds on the shelf.
        let frozen = evidence.shelf.first { $0.version == comparison.from.release }?.costs[target]
        let room = 1 + (row.budget?.percent ?? 0) / 100
        return GateAgreements.Acceptance(
            target: target, baseline: comparison.from.release, baselineValue: frozen ?? typical,
            version: comparison.to.release, ceiling: new * room, until: until, reason: reason, owner: owner,
            link: link)
    }
}
