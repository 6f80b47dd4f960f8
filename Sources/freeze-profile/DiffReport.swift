internal import CommandLineTool
internal import FrozenProfile
internal import FunctionAttribution
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison
internal import ProfileReport
internal import ProfileStore
internal import StackProfile

/// What `diff` adds to a comparison: the functions behind it, and the formats it is shown in.
struct DiffReport {
    static let options: [CommandSyntax.Option] = [
        .value(
            "format", "FORMAT",
            "terminal, markdown, json or html (default: terminal, or by the ending of --output)"
        ).among(Format.allCases.map(\.rawValue)),
        .value("output", "FILE", "where to write instead of standard output", letter: "o"),
        .value(
            "explain", "STAGE", "also explain STAGE, even if it has not changed; repeatable"),
        .value("flamegraph", "DIR", "write a differential flamegraph of each explained stage there"),
    ]

    enum Format: String, CaseIterable {
        case terminal, markdown, json, html
    }

    let format: Format
    private let output: String?
    private let pictures: String?
    private let showsAllRows: Bool
    private let asked: [StageName]

    init(_ arguments: ParsedArguments) throws(ToolFailure) {
        output = arguments.value("output")
        pictures = arguments.value("flamegraph")
        showsAllRows = arguments.has("all-rows")
        format =
            try arguments.choice("format")
            ?? (arguments.has("json") ? .json : output.map(Self.format(ofFile:)) ?? .terminal)
        if format == .html && output == nil {
            throw ToolFailure("Say where the page goes: --format html -o FILE.html.", .usage)
        }
        var stages: [StageName] = []
        for name in arguments.values["explain"] ?? [] {
            guard let stage = StageName(name) else {
                throw ToolFailure(
                    "'\(PlainText.sanitized(name))' cannot name a stage: it is empty.",
                    .usage)
            }
            stages.append(stage)
        }
        asked = stages
    }

    private static func format(ofFile name: String) -> Format {
        let endings: [(String, Format)] = [
            (".html", .html), (".htm", .html), (".md", .markdown), (".json", .json),
        ]
        return endings.first { name.lowercased().hasSuffix($0.0) }?.1 ?? .terminal
    }

    /// Explains a comparison, writes what was asked for besides the table, and returns what follows the table; nil when
    /// the comparison has been shown in another format.
    static func explained(
        _ comparison: inout Comparison, from: FrozenProfile, to: FrozenProfile,
        directories: (from: String, to: String), _ arguments: ParsedArguments
    ) throws(ToolFailure) -> String? {
        let report = try DiffReport(arguments)
        let stacks = try report.explain(&comparison, from: from, to: to, directories: directories)
        let isShown = try report.write(
            ComparisonReport(
                comparison, stacks: stacks, from: from, to: to, tool: "freeze-profile \(toolVersion)"))
        return isShown ? nil : stacks.text
    }

    /// The functions behind a comparison, where the stacks of both sides are there.
    func explain(
        _ comparison: inout Comparison, from: FrozenProfile, to: FrozenProfile,
        directories: (from: String, to: String)
    ) throws(ToolFailure) -> StackComparison {
        for stage in asked where !(from.stages + to.stages).contains(where: { $0.stage == stage }) {
            let known = (from.stages + to.stages).map(\.stage.text)
            let nearest = NearestName.to(stage.text, among: known).map { " Did you mean '\($0)'?" } ?? ""
            throw ToolFailure("Neither side has a stage '\(stage)'.\(nearest)", .usage)
        }
        var stages = asked
        for stage in comparison.stagesToExplain where !stages.contains(stage) { stages.append(stage) }
        if case .notComparable = comparison.timeOutcome { stages = [] }
        guard !stages.isEmpty else { return StackComparison() }
        var result = StackComparison(source: changedSource(from, to))
        let stacks = StackArchive.stacks(of: (from, to), in: directories)
        guard let older = stacks.from.value, let newer = stacks.to.value else {
            let reasons = [stacks.from, stacks.to].compactMap(\.unavailableReason)
            result.refusals = ["Functions cannot be compared: \(reasons.joined(separator: "; "))."]
            return result
        }
        do throws(AttributionRefusal) {
            let pair = try AttributionPair(
                before: AttributionInput(from, stacks: older), after: AttributionInput(to, stacks: newer))
            result = StackComparison(pair, stages: stages, source: result.source)
        } catch {
            result.refusals = [error.description]
        }
        comparison.explanations = result.explanations
        return result
    }

    private func changedSource(_ from: FrozenProfile, _ to: FrozenProfile) -> Reading<SourceChanges> {
        func commit(_ profile: FrozenProfile) -> Reading<String> {
            profile.environment.identity[.gitCommit].map(\.description)
        }
        return SourceChanges.read(directory: Files.workingDirectory, from: commit(from), to: commit(to))
    }

    /// Writes what does not go to the terminal as a table, and the pictures.
    ///
    /// - Returns: Whether the comparison has been shown; false leaves it to the caller, which prints tables.
    func write(_ report: ComparisonReport) throws(ToolFailure) -> Bool {
        if let pictures { try writePictures(report, into: pictures) }
        switch format {
        case .terminal where output == nil: return false
        case .terminal:
            let text = ComparisonText(report.comparison, showsAllRows: showsAllRows).render()
            try deliver(Array((text + report.stacks.text).utf8))
        case .markdown: try deliver(Array(MarkdownReport.render(report).utf8))
        case .html: try deliver(HTMLComparisonReport.render(report))
        case .json: try deliver(Array(report.comparison.json.utf8))
        }
        return true
    }

    private func deliver(_ bytes: [UInt8]) throws(ToolFailure) {
        try Console.deliver(bytes, to: output ?? "-")
    }

    private func writePictures(_ report: ComparisonReport, into directory: String) throws(ToolFailure) {
        do throws(SystemError) {
            try Files.createDirectories(directory)
        } catch {
            throw ToolFailure(error.description, .cannotWrite)
        }
        if report.stacks.attributions.isEmpty {
            Console.note(
                "No differential flamegraph was written: "
                    + (report.stacks.refusals.first
                        ?? "no stage changed or stands out. Name one: --explain STAGE."))
        }
        for attribution in report.stacks.attributions {
            guard let picture = report.flameGraph(of: attribution, asDocument: true) else { continue }
            let stage = attribution.stage?.text ?? "total"
            // A stage's name may hold anything but is to stay in this directory.
            let name = String(
                stage.map { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" ? $0 : "_" })
            try Console.deliver(picture, to: "\(directory)/\(name).diff.svg")
            Console.note("\(directory)/\(name).diff.svg")
        }
    }
}
