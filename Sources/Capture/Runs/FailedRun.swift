public import FrozenProfile
public import Measurement

/// What a person needs of a run that failed: how it ended, how far it got, its last words, and where the rest is.
public struct FailedRun: Equatable, Sendable {
    /// The run's kind as a person reads it: `measured`.
    public var run: String
    /// How it ended, after "The command"; what ended it, after "by".
    public var reason: String
    /// Whether it was ended because the capture was.
    public var isInterruption: Bool
    /// The stages that were entered, in order.
    public var stages: [StageRun] = []
    /// Those that were open when it ended.
    public var openStages: [StageName] = []
    /// The whole run; nil where nothing was measured.
    public var use: ResourceUse?
    /// The last lines of its standard error.
    public var lastLines: [String]
    /// Where its record is; nil where none was kept.
    public var record: String?
    /// The files that were kept beside the record.
    public var files: [String] = []
    /// Where what it wrote was left; nil where that is gone.
    public var output: String?

    /// A run that failed, of which no more is known.
    public init(run: String, reason: String, isInterruption: Bool = false, lastLines: [String]) {
        self.run = run
        self.reason = reason
        self.isInterruption = isInterruption
        self.lastLines = lastLines
    }

    /// A run that failed, with its record.
    init(_ made: MadeRun, name: String, failure: RunFailure, lastLines: [String]) {
        self.init(
            run: name, reason: failure.reason, isInterruption: failure.isInterruption, lastLines: lastLines)
        stages = made.record.run.stages
        openStages = made.record.openStages
        use = made.record.run.use
        record = made.path
        files = made.record.files.map(\.file)
        output = made.record.leftOutput
    }
}

extension FailedRun: CustomStringConvertible {
    public var description: String {
        ([ending] + progress + words + places).joined(separator: "\n")
    }

    private var ending: String {
        isInterruption
            ? "Interrupted in the \(run) run by \(reason). The command was ended, and no profile was written."
            : "The command \(reason) in the \(run) run, so no profile was written."
    }

    /// The stages with what they cost, as in the summary of a profile that was frozen.
    private var progress: [String] {
        guard let use, let wall = use.wallSeconds.value else { return [] }
        let peak = use.peakResidentMB.value.map { ", peak \($0.fixed(1)) MB" } ?? ""
        let whole = "It got this far: \(wall.fixed(3)) s\(peak)" + (stages.isEmpty ? ", no stage." : ".")
        let width = (stages.map { CellWidth.of($0.stage.text) }.max() ?? 0) + 2
        return [whole]
            + stages.map { stage in
                "  " + stage.stage.text.padded(to: width)
                    + (stage.use.wallSeconds.value?.fixed(3) ?? "?").leftPadded(to: 10) + " s"
                    + (stage.use.peakResidentMB.value?.fixed(1) ?? "?").leftPadded(to: 10) + " MB"
                    + (openStages.contains(stage.stage) ? "  <- it was here" : "")
            }
    }

    private var words: [String] {
        guard !lastLines.isEmpty else {
            return isInterruption ? [] : ["It wrote nothing to standard error."]
        }
        return ["The last lines of its standard error:"]
            + lastLines.map { "  | " + PlainText.sanitized($0, maximumCharacters: 200) }
    }

    private var places: [String] {
        var lines: [String] = []
        if let record {
            lines.append("Its record: '\(PlainText.sanitized(record, maximumCharacters: 4096))'")
            if !files.isEmpty { lines.append("  beside it: \(files.joined(separator: ", "))") }
        }
        if let output {
            lines.append("What it wrote: '\(PlainText.sanitized(output, maximumCharacters: 4096))'")
        }
        return lines
    }
}
