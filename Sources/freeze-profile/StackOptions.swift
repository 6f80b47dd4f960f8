internal import CommandLineTool
internal import LinuxSystem
internal import Measurement
internal import StackProfile
internal import StackRecording

/// The options of every command that writes stacks: where to, in which format, grouped by what.
struct StackOptions {
    static let all: [CommandSyntax.Option] = [
        .value("output", "FILE", "where to write; - is standard output", letter: "o"),
        .value(
            "format", "NAME",
            "svg, folded, pprof, speedscope, firefox, chrome-trace or callgrind (default: by the file's name: .svg, "
                + ".folded, .pb.gz, .json, .firefox.json, .trace.json, .callgrind)"
        ).among(StackFormat.allCases.map(\.rawValue)),
        .value(
            "by", "LABELS",
            "stage, state, thread or process, another tool's label, or several with commas (default: stage and state, "
                + "where there are any)"
        ).among(["stage", "state", "thread", "process"]),
    ]

    let output: String
    let format: StackFormat
    private let grouping: [GroupingLabel]?

    /// - Parameter acceptsForeignLabels: Whether the stacks may have labels of other tools. Where they are still to be recorded
    ///   they have none, and a misspelt label is refused before minutes of sampling.
    init(_ arguments: ParsedArguments, acceptsForeignLabels: Bool) throws(ToolFailure) {
        guard let output = arguments.value("output") else {
            throw ToolFailure("Say where to write: --output FILE, or -o FILE.", .usage)
        }
        self.output = output
        format = try Self.format(arguments.value("format"), output: output)
        grouping = try arguments.value("by").map { (names) throws(ToolFailure) in
            var labels: [GroupingLabel] = []
            for name in names.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
                let label = GroupingLabel(name: name)
                if case .other = label, !acceptsForeignLabels {
                    throw Self.unknown("label", name, ["stage", "thread", "process", "state"])
                }
                if !labels.contains(label) { labels.append(label) }
            }
            return labels
        }
        if grouping != nil && format == .pprof {
            throw ToolFailure(
                "A pprof file is not grouped: its samples keep stage, state, thread and process as labels. Leave out --by.",
                .usage)
        }
        guard output == "-" || Files.isDirectory(Files.directory(of: output)) else {
            throw ToolFailure(
                "Cannot write '\(PlainText.sanitized(output))': there is no such directory. Create it first.",
                .cannotWrite)
        }
    }

    private static func format(_ name: String?, output: String) throws(ToolFailure) -> StackFormat {
        if let name {
            guard let format = StackFormat(rawValue: name) else {
                throw unknown("format", name, StackFormat.allCases.map(\.rawValue))
            }
            return format
        }
        guard let format = StackFormat(fileName: output) else {
            throw ToolFailure(
                "The name '\(PlainText.sanitized(output))' does not show the format: say --format "
                    + "\(StackFormat.allCases.map(\.rawValue).joined(separator: ", ")).", .usage)
        }
        return format
    }

    private static func unknown(_ what: String, _ name: String, _ known: [String]) -> ToolFailure {
        let nearest = NearestName.to(name, among: known).map { " Did you mean '\($0)'?" } ?? ""
        return ToolFailure(
            "There is no \(what) '\(PlainText.sanitized(name))'; there are \(known.joined(separator: ", "))."
                + nearest, .usage)
    }

    /// Writes a file whole or not at all.
    func write(_ file: StackFile) throws(ToolFailure) {
        var file = file
        if let grouping {
            file.grouping = grouping
            for label in file.missingLabels {
                if case .other(let name) = label { throw Self.unknown("label", name, file.knownLabels) }
                Console.note("The samples have no \(label.name), so there is one group of all of them.")
            }
        }
        try write(file.bytes(as: format))
    }

    /// Writes bytes whole or not at all.
    func write(_ bytes: [UInt8]) throws(ToolFailure) {
        try Console.deliver(bytes, to: output)
    }
}
