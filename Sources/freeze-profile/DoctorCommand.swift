internal import CommandLineTool
internal import Doctor

/// `freeze-profile doctor`: what this machine allows, and the remedy for what it does not.
enum DoctorCommand {
    static let command = Tool.Command("doctor", syntax) { arguments in
        let report = DoctorProbe.report()
        Console.print(arguments.has("json") ? report.json : report.text)
        return report.canSample ? .success : .failed
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile doctor",
        summary:
            "Shows what this machine allows: samplers, exact peaks, names, and what to do for those it does not.",
        options: [.flag("json", "print one JSON object")],
        examples: [("freeze-profile doctor", "why are there no stacks?")],
        notes: ["Exit codes: 0 stacks can be taken, 4 they cannot, 64 wrong usage."])
}
