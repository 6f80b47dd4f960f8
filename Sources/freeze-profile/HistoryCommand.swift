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
            .value("metric", "METRIC", "wall, cpu, rss, cpu-percent or instructions (default: wall)"),
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
            "Shown are the summaries as they were frozen; 'verify' checks them against the runs. With ten or more versions "
                + "steps are marked. Versions of another machine or of other work are not compared with those before.",
            "Exit codes: 0 shown, 64 wrong usage, 66 no profile could be read, 73 cannot write. Profiles that cannot be "
                + "read are told and left out.",
        ])

    private static let metrics: [(name: String, metric: Metric)] = [
        ("wall", .wall), ("cpu", .cpu), ("rss", .peakResident), ("cpu-percent", .averageCPU),
        ("instructions", .instructions),
    ]

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let name = arguments.value("metric") ?? "wall"
        guard let metric = metrics.first(where: { $0.name == name })?.metric else {
            throw ToolFailure(
                "--metric cannot be '\(PlainText.sanitized(name))'; there are "
                    + metrics.map(\.name).joined(separator: ", ") + ".", .usage)
        }
        let directory = arguments.value("profiles") ?? CaptureRequest.defaultDirectory
        // Intervals come from the sessions, which are most of a file: they are read only where they are drawn.
        let history = try read(directory, withSessions: arguments.value("svg") != nil)
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

    private static func read(_ directory: String, withSessions: Bool) throws(ToolFailure) -> History {
        let store = ProfileStore(directory: directory)
        var profiles: [FrozenProfile] = []
        do throws(ProfileError) {
            for version in try store.versions() {
                do throws(ProfileError) {
                    let path = store.path(of: version)
                    profiles.append(
                        try withSessions
                            ? ProfileStore.load(path: path, .beside)
                            : ProfileStore.loadSummary(path: path))
                } catch {
                    Console.note("Left out: \(error)")
                }
            }
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
        guard !profiles.isEmpty else {
            throw ToolFailure(
                "There is no profile in '\(PlainText.sanitized(directory))' that can be read. Freeze a version with "
                    + "'freeze-profile capture', or say where they are with --profiles.", .noInput)
        }
        return History(profiles)
    }

    private static var usesUTF8: Bool {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"]
        let encoding =
            names.lazy.compactMap { CurrentProcess.environmentVariable($0) }.first { !$0.isEmpty } ?? ""
        return encoding.uppercased().contains("UTF-8") || encoding.uppercased().contains("UTF8")
    }
}
