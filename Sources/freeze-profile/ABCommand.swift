internal import Capture
internal import CommandLineTool
internal import FunctionAttribution
internal import LinuxSystem
internal import ProfileComparison
internal import ProfileReport

/// `freeze-profile ab`: two commands run in turn and compared.
enum ABCommand {
    static let command = Tool.Command("ab", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile ab",
        summary: "Runs two commands in turn, pair by pair in random order, and says which one costs more.",
        options: [
            .value("a", "COMMAND", "the old command, as one word"),
            .value("b", "COMMAND", "the new command, as one word"),
            .flag(
                "count",
                "decide by executed instructions: count 2 runs of each, and make 1 pair unless --pairs"),
            .value(
                "count-runs", "N",
                "counted runs of each command, under emulation (default: 0, or 2 with --count)"),
            .value(
                "stack-runs", "K",
                "runs of each whose stacks are sampled, for functions (default: 0, or 3 with --explain)"),
            EnvironmentOption.option,
            .value("keep", "DIR", "keep run records and a profile of each side there, for diff and report"),
        ] + InterleavedRuns.options + InterleavedOverNodes.options + ComparisonOptions.all
            + DiffReport.options + [
                .value(
                    "profiles", "DIR", "where a regression_rules.yaml is looked up (default: data/profiles)")
            ],
        examples: [
            (
                "freeze-profile ab --a './old {output_dir}' --b './new {output_dir}' --pairs 20",
                "whether the new program is slower than the old one"
            ),
            (
                "freeze-profile ab --a './old {output_dir}' --b './new {output_dir}' --count --keep compared",
                "whether it executes more instructions, and in which functions; a verdict on any machine"
            ),
            (
                "freeze-profile ab --a './old {output_dir}' --b './new {output_dir}' --engine slurm --nodes n[1-4] --records runs",
                "pairs on four nodes of a cluster, each pair on one, and one verdict"
            ),
        ],
        notes: [
            "Commands are taken apart at spaces, with quotes as in a shell, and run without one. Each run is a fresh process "
                + "with a fresh directory in place of {output_dir}. A first pair warms up and does not count.",
            RunInput.help,
            "The number of pairs is fixed before the first run: measuring until the answer pleases gets it "
                + "by chance. --grow looks three times, at 12, 20 and 30 pairs, and is no more often wrong for it. 8 pairs are "
                + "the fewest for a verdict, 12 are for a gate, 20 where runs scatter by 2 % or more.",
            "Exit codes: 0 unchanged or improved, 1 regressed, 2 inconclusive, 3 not comparable, 4 a command or the measurement failed, "
                + "64 wrong usage, 66 an input is missing, 73 cannot write.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        guard let a = arguments.value("a"), let b = arguments.value("b") else {
            throw ToolFailure("Say both commands: --a 'OLD COMMAND' --b 'NEW COMMAND'.", .usage)
        }
        let profiles = arguments.value("profiles") ?? CaptureRequest.defaultDirectory
        let settings = try ComparisonOptions.settings(arguments, profiles: profiles)
        let counts = arguments.has("count")
        var runs = InterleavedRuns(
            a: try InterleavedRuns.command(a, option: "a"), b: try InterleavedRuns.command(b, option: "b"),
            plan: try InterleavedRuns.plan(arguments, default: counts ? 1 : InterleavedPlan.defaultPairs),
            input: RunInput(arguments))
        let wantsFunctions = arguments.values["explain"] != nil || arguments.value("flamegraph") != nil
        runs.environmentNames = try EnvironmentOption.names(arguments)
        if try InterleavedOverNodes.isWanted(arguments) {
            if arguments.has("records-only") { return try InterleavedOverNodes.makeRecords(arguments, runs) }
            let comparison = try InterleavedOverNodes.compare(arguments, runs, settings)
            return try ComparisonOptions.show(comparison, arguments)
        }
        runs.countRuns = try arguments.whole("count-runs", in: 0...100) ?? (counts ? 2 : 0)
        runs.stackRuns =
            try arguments.whole("stack-runs", in: 0...100) ?? (wantsFunctions ? 3 : 0)
        runs.kept = arguments.value("keep")
        // What is wrong about it should come before the runs.
        let report = try DiffReport(arguments)
        var why: String? = ""
        var isShown = false
        let comparison = try runs.compare(names: ("a", "b"), settings: settings) {
            (comparison, from, to, directory) throws(ToolFailure) in
            let directories = (from: directory, to: directory)
            StackArchive.explainCounts(&comparison, from: from, to: to, directories: directories)
            if runs.stackRuns > 0 || arguments.values["explain"] != nil {
                why = try DiffReport.explained(
                    &comparison, from: from, to: to, directories: directories, arguments)
                isShown = why == nil
            } else {
                isShown = try report.write(
                    ComparisonReport(
                        comparison, stacks: StackComparison(), from: from, to: to,
                        tool: "freeze-profile \(toolVersion)"))
            }
            if let kept = runs.kept {
                Console.note("Kept: \(kept)/a.yaml and \(kept)/b.yaml, with their records")
            }
        }
        return try ComparisonOptions.show(comparison, arguments, why: isShown ? nil : why)
    }
}
