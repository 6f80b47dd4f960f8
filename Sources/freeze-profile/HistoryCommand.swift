internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison
internal import ProfileReport
internal import ProfileStore

/// `freeze-profile history`: how the cost of frozen versions went.
enum HistoryCommand {
    static let command = Tool.Command("history", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile history",
        summary: "Shows how the cost of stages went from version to version.",
        operands: .named(["STAGE"], required: 0),
        options: [
            .value(
                "metric", "METRIC",
                "wall, cpu, rss, cpu-percent, instructions or system-calls (default: wall)"
            )
            .among(metrics.map(\.name)),
            .value("profiles", "DIR", "where versions are looked up (default: data/profiles)"),
            .value("svg", "FILE", "draw the trend, with intervals where versions have several sessions"),
            .flag("json", "print the values as JSON"),
        ],
        examples: [
            ("freeze-profile history", "every stage, a line each"),
            (
                "freeze-profile history transcription --metric cpu --svg trend.svg",
                "one stage, version by version"
            ),
        ],
        notes: [
            "Versions stand in order of date, then of name. Without STAGE there is a line per stage and the whole run; "
                + "'total' as STAGE is the whole run, version by version.",
            "Of each version it is said what 'diff' says against the one before; a change with ~ could be chance. With ten or more "
                + "versions steps are marked. Versions of another machine or of other work are not compared with those before.",
            "Exit codes: 0 shown, 64 wrong usage, 66 no profile could be read, 73 cannot write. Profiles that cannot be "
                + "read are reported and skipped.",
        ])

    private static let metrics: [(name: String, metric: Metric)] = [
        ("wall", .wall), ("cpu", .cpu), ("rss", .peakResident), ("cpu-percent", .averageCPU),
        ("instructions", .instructions), ("system-calls", .systemCalls),
    ]

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let name = arguments.value("metric") ?? "wall"
        guard let metric = metrics.first(where: { $0.name == name })?.metric else {
            throw ToolFailure(
                "--metric cannot be '\(PlainText.sanitized(name))'; there are "
                    + metrics.map(\.name).joined(separator: ", ") + ".", .usage)
        }
        let directory = arguments.value("profiles") ?? CaptureRequest.defaultDirectory
        let shelf = try ShelfVersions(
            directory, settings: ComparisonOptions.gateSettings(arguments, profiles: directory))
        for problem in shelf.problems { Console.note("Left out: \(problem)") }
        let history = History(shelf.profiles) { from, to in shelf.compare(from, to) }
        let operand = arguments.operands.first
        let trends = try trends(operand, metric, history)
        if let file = arguments.value("svg") {
            let title = "\(metric.title) of \(history.profiles.count) versions"
            try Console.deliver(HistorySVG.render(trends, title: title), to: file)
            // A picture and a table on one stream are neither.
            if file == "-" { return .success }
            Console.note(file)
        }
        if arguments.has("json") {
            Console.print(HistoryJSON.text(trends))
        } else {
            let text = HistoryText(usesUTF8: usesUTF8)
            Console.print(operand == nil ? text.overview(trends) : text.detail(trends[0]))
        }
        return .success
    }

    private static func trends(
        _ operand: String?, _ metric: Metric, _ history: History
    ) throws(ToolFailure) -> [History.Trend] {
        let stages = history.stages
        guard let operand else {
            return [history.trend(of: metric, in: nil)] + stages.map { history.trend(of: metric, in: $0) }
        }
        if let stage = stages.first(where: { $0.text == operand }) {
            return [history.trend(of: metric, in: stage)]
        }
        if operand == "total" { return [history.trend(of: metric, in: nil)] }
        let nearest = NearestName.to(operand, among: stages.map(\.text) + ["total"])
        throw ToolFailure(
            "No version has a stage '\(PlainText.sanitized(operand))'."
                + (nearest.map { " Did you mean '\($0)'?" } ?? ""), .usage)
    }

    private static var usesUTF8: Bool {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"]
        let encoding =
            names.lazy.compactMap { CurrentProcess.environmentVariable($0) }.first { !$0.isEmpty } ?? ""
        return encoding.uppercased().contains("UTF-8") || encoding.uppercased().contains("UTF8")
    }
}
