internal import CommandLineTool
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import StackProfile
internal import StackRecording

/// `freeze-profile render`: stacks from one format into another.
enum RenderCommand {
    static let command = Tool.Command("render", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile render",
        summary: "Turns recorded stacks into a flamegraph or another format.",
        operands: .named(["IN"], required: 1),
        options: StackOptions.all + [.value("title", "TEXT", "the heading (default: the input's name)")],
        examples: [
            (
                "freeze-profile render data/profiles/v1.2.0.stacks.pb.gz -o v1.2.0.svg",
                "draw a frozen profile"
            ),
            (
                "perf script | stackcollapse-perf.pl > a.folded; freeze-profile render a.folded -o a.svg",
                "draw what another sampler took"
            ),
        ],
        notes: [
            "IN is folded stacks or a pprof profile, told by its content; either may be gzipped. Lines that cannot be "
                + "understood are left out, counted and told.",
            "Exit codes: 0 written, 64 wrong usage, 66 the input is missing, unreadable or holds no samples (then the "
                + "file is written all the same, valid and empty), 73 cannot write.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let options = try StackOptions(arguments)
        let path = arguments.operands[0]
        let input = try read(path)
        if let report = input.report { tell(report, path: path) }
        try options.write(
            StackFile(
                input.profile, title: arguments.value("title") ?? Files.name(of: path),
                exporter: "freeze-profile \(toolVersion)"))
        guard input.profile.totalWeight > 0 else {
            Console.note("'\(PlainText.sanitized(path))' holds no samples, so there is nothing to show.")
            return .noInput
        }
        return .success
    }

    private static func read(_ path: String) throws(ToolFailure) -> StackInput {
        guard !Files.exists(path) || Files.isRegularFile(path) else {
            throw ToolFailure(
                "Cannot read '\(PlainText.sanitized(path))': it is no regular file.", .noInput)
        }
        let file: MappedFile
        do throws(SystemError) {
            file = try MappedFile(path)
        } catch {
            throw ToolFailure(
                "Cannot read '\(PlainText.sanitized(path))': \(error.reason).", .noInput)
        }
        do throws(StackInput.ReadError) {
            return try file.withBytes { (bytes) throws(StackInput.ReadError) in try StackInput(bytes) }
        } catch {
            throw ToolFailure("Cannot read '\(PlainText.sanitized(path))'. \(error)", .noInput)
        }
    }

    private static func tell(_ report: FoldedStacks.Report, path: String) {
        if report.badLines > 0 {
            Console.note(
                "\(report.badLines) of \(report.lines) lines of '\(PlainText.sanitized(path))' were left out."
            )
            for line in report.examples.prefix(3) { Console.note("  \(line)") }
            if report.badLines > 3 { Console.note("  and \(report.badLines - 3) more.") }
        }
        if report.cutStacks > 0 {
            Console.note("\(report.cutStacks) stacks were deeper than is read, and end in [truncated].")
        }
        if report.fractionalWeights > 0 {
            Console.note("\(report.fractionalWeights) weights had a fraction, which was cut off.")
        }
    }
}
