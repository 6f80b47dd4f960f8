internal import Capture
internal import CommandLineTool

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
        ] + InterleavedRuns.options + ComparisonOptions.all + [
            .value("profiles", "DIR", "where a regression_rules.yaml is looked up (default: data/profiles)")
        ],
        examples: [
            (
                "freeze-profile ab --a './old {output_dir}' --b './new {output_dir}' --pairs 20",
                "whether the new program is slower than the old one"
            )
        ],
        notes: [
            "Commands are taken apart at spaces, with quotes as in a shell, and run without one. Each run is a fresh process "
                + "with a fresh directory in place of {output_dir}. A first pair warms up and does not count.",
            "The number of pairs is fixed before the first run: whoever measures until the answer pleases gets it by "
                + "chance. --grow looks three times, at 12, 20 and 30 pairs, and is no more often wrong for it. 8 pairs are the fewest for a verdict, 12 are for a gate, 20 where runs scatter by 2 % or more.",
            "Exit codes: 0 unchanged or improved, 1 regressed, 2 inconclusive, 3 not comparable, 4 a command or the measurement failed, "
                + "64 wrong usage, 66 an input is missing, 73 cannot write.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        guard let a = arguments.value("a"), let b = arguments.value("b") else {
            throw ToolFailure("Say both commands: --a 'OLD COMMAND' --b 'NEW COMMAND'.", .usage)
        }
        let profiles = arguments.value("profiles") ?? CaptureRequest.defaultDirectory
        let settings = try ComparisonOptions.settings(arguments, profiles: profiles)
        let runs = InterleavedRuns(
            a: try InterleavedRuns.command(a, option: "a"), b: try InterleavedRuns.command(b, option: "b"),
            plan: try InterleavedRuns.plan(arguments))
        return try ComparisonOptions.show(
            try runs.compare(names: ("a", "b"), settings: settings), arguments)
    }
}
