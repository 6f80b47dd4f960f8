internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison

/// The options that every comparing command has, and what becomes of its result.
enum ComparisonOptions {
    static let all: [CommandSyntax.Option] = [
        .value(
            "budget", "[STAGE.]METRIC=PCT",
            "by how much a metric may grow, in percent; METRIC is wall, cpu or rss; repeatable"),
        .value(
            "floor", "METRIC=VALUE",
            "the smallest difference that counts, such as wall=0.2ms or rss=64KB (default: 5ms, 1MB); repeatable"
        ),
        .value("count-budget", "PCT", "by how much counted instructions may grow (default: 0.5)"),
        .value("rules", "FILE", "thresholds (default: regression_rules.yaml beside the profiles, if there)"),
        .value("allow", "KEY", "compare although KEY differs, and say so; repeatable"),
        .value("gate", "WHAT", "what decides: total, or stages for every stage too (default: total)")
            .among(ComparisonSettings.Gate.allCases.map(\.rawValue)),
        .flag(
            "exclude-odd-nodes",
            "leave out sessions of a cluster's nodes that are unlike the others, on both sides"),
        .value(
            "fail-on", "WHAT",
            "regression: exit 1 then, else 0; inconclusive: 2 then too; never (default: inconclusive)"
        ).among(FailOn.allCases.map(\.rawValue)),
        .flag("all-rows", "also show every row of stages in which nothing stands out"),
        .flag("json", "print the comparison as JSON (docs/formats/comparison.md)"),
    ]

    static let exitCodes =
        "Exit codes: 0 unchanged or improved, 1 regressed, 2 inconclusive, 3 not comparable, 64 wrong usage, 66 an input is missing "
        + "or cannot be read."

    /// How to judge, by the options and the files beside the profiles.
    static func settings(
        _ arguments: ParsedArguments, profiles: String
    ) throws(ToolFailure) -> ComparisonSettings {
        var settings = try gateSettings(arguments, profiles: profiles)
        settings.allowances = try allowances(arguments.values["allow"] ?? [])
        settings.excludesOddNodes = arguments.has("exclude-odd-nodes")
        if let gate: ComparisonSettings.Gate = try arguments.choice("gate") { settings.gate = gate }
        if let text = arguments.value("count-budget") {
            guard let percent = Double(text), (0...10_000).contains(percent) else {
                throw ToolFailure(
                    "--count-budget '\(PlainText.sanitized(text))' is not a percentage from 0 to 10000.",
                    .usage)
            }
            settings.countedBudgetPercent = percent
        }
        _ = try failOn(arguments)
        return settings
    }

    /// Budgets and rules, by the options and the files beside the profiles.
    static func gateSettings(
        _ arguments: ParsedArguments, profiles: String
    ) throws(ToolFailure) -> ComparisonSettings {
        var policy = BudgetPolicy(
            commandLine: try budgets(arguments.values["budget"] ?? []),
            rules: try rules(arguments.value("rules"), profiles: profiles))
        policy.floors = try floors(arguments.values["floor"] ?? [])
        return ComparisonSettings(budgets: policy)
    }

    /// Refuses a budget for a stage that no side has: a misspelt one would hold for nothing.
    static func checkStages(
        _ settings: ComparisonSettings, of profiles: [FrozenProfile]
    ) throws(ToolFailure) {
        let known = profiles.flatMap(\.stages).map(\.stage)
        for stage in settings.budgets.commandLine.keys.compactMap(\.stage).sorted()
        where !known.contains(stage) {
            throw ToolFailure(
                "There is no stage '\(stage)' to have a budget."
                    + (NearestName.to(stage.text, among: known.map(\.text)).map { " Did you mean '\($0)'?" }
                        ?? (known.isEmpty ? " Neither side has stages." : "")),
                .usage)
        }
    }

    /// Prints a comparison and returns what to exit with.
    ///
    /// - Parameter why: What follows the table; nil when the comparison has been shown in another format.
    static func show(
        _ comparison: Comparison, _ arguments: ParsedArguments, why: String? = ""
    ) throws(ToolFailure) -> ExitCode {
        guard let why else { return try exitCode(comparison.outcome, arguments) }
        if arguments.has("json") {
            Console.print(comparison.json)
            return try exitCode(comparison.outcome, arguments)
        }
        let style = TerminalStyle.forDescriptor(Terminal.standardOutput)
        let text = ComparisonText(
            comparison, width: Terminal.size(Terminal.standardOutput).columns,
            showsAllRows: arguments.has("all-rows")
        ) { text, emphasis in
            switch emphasis {
            case .bad: style.red(text)
            case .title, .good: style.bold(text)
            case .faint: style.dim(text)
            }
        }
        Console.print(text.render() + why)
        return try exitCode(comparison.outcome, arguments)
    }

    private static func exitCode(
        _ outcome: Comparison.Outcome, _ arguments: ParsedArguments
    ) throws(ToolFailure) -> ExitCode {
        let failOn = try failOn(arguments)
        switch outcome {
        case .notComparable: return .notComparable
        case .verdict(.regressed): return failOn == .never ? .success : .regressed
        case .verdict(.inconclusive): return failOn == .inconclusive ? .inconclusive : .success
        case .verdict(.unchanged), .verdict(.improved): return .success
        }
    }

    private enum FailOn: String, CaseIterable {
        case regression, inconclusive, never
    }

    private static func failOn(_ arguments: ParsedArguments) throws(ToolFailure) -> FailOn {
        try arguments.choice("fail-on") ?? .inconclusive
    }

    private static func allowances(_ names: [String]) throws(ToolFailure) -> Set<String> {
        let known = ComparabilityKey.allNames
        for name in names where !known.contains(name) {
            let nearest = NearestName.to(name, among: known)
            throw ToolFailure(
                "There is no key '\(PlainText.sanitized(name))' to allow."
                    + (nearest.map { " Did you mean '\($0)'?" }
                        ?? " There are \(known.joined(separator: ", "))."),
                .usage)
        }
        return Set(names)
    }

    private static let metrics: [String: Metric] = ["wall": .wall, "cpu": .cpu, "rss": .peakResident]

    private static let units: [(ending: String, factor: Double, isMemory: Bool)] = [
        ("us", 1e-6, false), ("ms", 1e-3, false), ("s", 1, false), ("KB", 1.0 / 1024, true), ("MB", 1, true),
    ]

    private static func floors(_ texts: [String]) throws(ToolFailure) -> [Metric: Double] {
        var floors: [Metric: Double] = [:]
        for text in texts {
            let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            guard sides.count == 2, let metric = metrics[sides[0]],
                let unit = units.first(where: { sides[1].hasSuffix($0.ending) }),
                unit.isMemory == (metric == .peakResident),
                let value = Double(sides[1].dropLast(unit.ending.count)), value.isFinite, value > 0,
                value <= 1e6
            else {
                throw ToolFailure(
                    "The floor '\(PlainText.sanitized(text))' is not of the form METRIC=VALUE with a unit, such as wall=0.2ms, "
                        + "cpu=1ms or rss=64KB.", .usage)
            }
            floors[metric] = value * unit.factor
        }
        return floors
    }

    private static func budgets(
        _ texts: [String]
    ) throws(ToolFailure) -> [BudgetPolicy.Target: Double] {
        var budgets: [BudgetPolicy.Target: Double] = [:]
        for text in texts {
            let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            // A stage's name may have dots, a metric's has none.
            let name = sides[0].split(separator: ".", omittingEmptySubsequences: false)
            let stage = name.count > 1 ? StageName(name.dropLast().joined(separator: ".")) : nil
            guard sides.count == 2, let metric = name.last.flatMap({ metrics[String($0)] }),
                name.count == 1 || stage != nil, let percent = Double(sides[1]),
                (0...10_000).contains(percent)
            else {
                throw ToolFailure(
                    "The budget '\(PlainText.sanitized(text))' is not of the form [STAGE.]METRIC=PERCENT with the metric "
                        + "wall, cpu or rss and a percentage from 0 to 10000, such as transcription.wall=5.",
                    .usage)
            }
            budgets[BudgetPolicy.Target(stage: stage, metric: metric)] = percent
        }
        return budgets
    }

    private static func rules(
        _ path: String?, profiles: String
    ) throws(ToolFailure) -> RegressionRules? {
        let file = path ?? "\(profiles)/regression_rules.yaml"
        guard path != nil || Files.exists(file) else { return nil }
        do {
            return try RegressionRules(
                Files.read(file, path == nil ? .beside : .named, limit: RegressionRules.maximumBytes),
                file: file)
        } catch let error as RegressionRules.Refusal {
            throw ToolFailure(error.description, .noInput)
        } catch {
            throw ToolFailure("\(error)", .noInput)
        }
    }
}
