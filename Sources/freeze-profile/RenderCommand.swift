internal import CommandLineTool
internal import FlameGraph
internal import LinuxSystem
internal import Measurement
internal import ProfileFormats
internal import StackProfile
internal import StackRecording

/// `freeze-profile render`: stacks from one format into another, or two files of stacks compared.
enum RenderCommand {
    static let command = Tool.Command("render", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile render",
        summary:
            "Turns recorded stacks into a flamegraph or another format, or draws what changed between two.",
        operands: .named(["IN", "AFTER"], required: 1),
        options: StackOptions.all + [
            .value("title", "TEXT", "the heading (default: the input's name)"),
            .value(
                "sample-type", "NAME",
                "which of the things that a file counts, such as alloc_space or cycles (default: what the file says, or "
                    + "else its first; of pprof the last)"),
            .flag(
                "diff", "draw what changed from the first file to the second: svg, or folded with two weights"
            ),
        ],
        examples: [
            (
                "freeze-profile render data/profiles/v1.2.0.stacks.pb.gz -o v1.2.0.svg",
                "draw a frozen profile"
            ),
            ("perf script | freeze-profile render - -o a.svg", "draw what perf recorded"),
            ("freeze-profile render --diff before.folded after.folded -o diff.svg", "draw what changed"),
        ],
        notes: [
            "IN is a file, a pipe, or - for standard input; its kind is recognised by its content, and it may be gzipped. Read "
                + "are folded stacks (with one weight, or with two as difffolded.pl writes them), pprof, perf script, "
                + "speedscope, Chrome's CPU profiles and trace events, callgrind, heaptrack, and memray's CSV and gprof2dot "
                + "exports. Other kinds are refused by name, with the way to convert them.",
            "Exit codes: 0 written, 64 wrong usage, 66 the input is missing, unreadable or holds no samples (then the "
                + "file is written all the same, valid and empty), 73 cannot write.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let operands = arguments.operands
        guard operands.count == (arguments.has("diff") ? 2 : 1) else {
            throw ToolFailure(
                arguments.has("diff")
                    ? "Give two files: --diff BEFORE AFTER." : "Give one file, or two with --diff.", .usage)
        }
        guard operands.count < 2 || operands != ["-", "-"] else {
            throw ToolFailure("Standard input can be one of the two files, not both.", .usage)
        }
        let options = try StackOptions(arguments, acceptsForeignLabels: true)
        let sampleType = arguments.value("sample-type")
        let input = try StackFileReader.read(operands[0], sampleType: sampleType)
        let title = arguments.value("title")
        if operands.count == 2 {
            let newer = try StackFileReader.read(operands[1], sampleType: sampleType)
            let names = operands.map { $0 == "-" ? "standard input" : Files.name(of: $0) }
            return try draw(
                StackDifference(
                    before: input.profile, after: newer.profile, names: (names[0], names[1]),
                    title: title ?? "\(names[0]) → \(names[1])"), options)
        }
        let name = operands[0] == "-" ? "standard input" : Files.name(of: operands[0])
        if let baseline = input.baseline {
            return try draw(
                StackDifference(
                    before: baseline, after: input.profile, names: ("before", "after"), title: title ?? name),
                options)
        }
        try options.write(
            StackFile(
                input.profile, title: title ?? name, exporter: "freeze-profile \(toolVersion)",
                grouping: input.grouping))
        guard input.profile.totalWeight > 0 else {
            Console.note(
                "'\(PlainText.sanitized(operands[0]))' holds no samples, so there is nothing to show.")
            return .noInput
        }
        return .success
    }

    private static func draw(
        _ difference: StackDifference, _ options: StackOptions
    ) throws(ToolFailure) -> ExitCode {
        if let reason = difference.obstacle { throw ToolFailure(reason, .noInput) }
        guard let bytes = difference.bytes(as: options.format) else {
            throw ToolFailure(
                "What changed between two profiles is written as svg or folded, not as \(options.format.rawValue).",
                .usage)
        }
        try options.write(bytes)
        guard difference.isEmpty else { return .success }
        Console.note("Neither side holds samples, so there is nothing to show.")
        return .noInput
    }
}
