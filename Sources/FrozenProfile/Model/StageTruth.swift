internal import JSONDocument
public import Measurement

/// What is known for certain about the stages of a version's run: the `<VERSION>.stage_truth.json` beside a profile.
///
/// `docs/formats/stage-truth.md` describes every key.
public struct StageTruth: Equatable, Sendable {
    /// A stage, all its spans together.
    public struct Stage: Equatable, Sendable {
        public var stage: StageName
        public var entered: Reading<Int>
        public var use: ResourceUse
        /// The sum of its spans' durations in seconds: more than the wall time where they overlapped.
        public var workSeconds: Reading<Double>
        /// Where the times come from, such as `event trace`, `status history` or `status transitions`.
        public var source: String

        /// A stage.
        public init(
            stage: StageName, entered: Reading<Int>, use: ResourceUse, source: String,
            workSeconds: Reading<Double> = .unavailable(reason: "not recorded")
        ) {
            self.stage = stage
            self.entered = entered
            self.use = use
            self.workSeconds = workSeconds
            self.source = source
        }
    }

    /// A moment at which a stage began or ended.
    public struct Transition: Equatable, Sendable {
        /// Seconds since the run began.
        public var seconds: Double
        public var stage: StageName
        /// Whether it began; else it ended.
        public var isBegin: Bool
        public var episode: Int?
        /// The node that it happened on; nil for a run on one machine.
        public var node: String?

        /// A transition.
        public init(
            seconds: Double, stage: StageName, isBegin: Bool, episode: Int? = nil, node: String? = nil
        ) {
            self.seconds = seconds
            self.stage = stage
            self.isBegin = isBegin
            self.episode = episode
            self.node = node
        }
    }

    /// What became of the live monitor's log.
    public struct Monitor: Equatable, Sendable {
        public var isEnabled: Bool
        /// The environment variable by which the log was forced into a file.
        public var forcedFileLogVariable: String?
        public var sourceLog: String?
        public var archivedLog: String?
        public var lines: Reading<Int>
        public var bytes: Reading<Int>
        public var note: String?

        /// An account of the log.
        public init(
            isEnabled: Bool, forcedFileLogVariable: String? = nil, sourceLog: String? = nil,
            archivedLog: String? = nil, lines: Reading<Int>, bytes: Reading<Int>, note: String? = nil
        ) {
            self.isEnabled = isEnabled
            self.forcedFileLogVariable = forcedFileLogVariable
            self.sourceLog = sourceLog
            self.archivedLog = archivedLog
            self.lines = lines
            self.bytes = bytes
            self.note = note
        }
    }

    public var release: String
    public var datasetID: Reading<String>
    public var generatedAt: String
    /// The file that the stages' edges were read from.
    public var sourceFile: Reading<String>
    /// The time between two ticks of the monitor, in seconds. Stages' edges do not depend on it.
    public var sampleIntervalSeconds: Reading<Double>
    public var run: ResourceUse
    public var stages: [Stage]
    /// In order of time. At most ``maximumTransitions`` are written, and what is left out is counted.
    public var transitions: [Transition]
    /// Transitions that came after those and are counted in the stages all the same.
    public var transitionsLeftOut = 0
    public var monitor: Monitor

    /// The most transitions written.
    public static let maximumTransitions = 100_000

    /// The truth about a run.
    public init(
        release: String, datasetID: Reading<String>, generatedAt: String, run: ResourceUse, stages: [Stage],
        transitions: [Transition], monitor: Monitor,
        sourceFile: Reading<String> = .unavailable(reason: "not recorded"),
        sampleIntervalSeconds: Reading<Double> = .unavailable(reason: "not recorded")
    ) {
        self.sourceFile = sourceFile
        self.sampleIntervalSeconds = sampleIntervalSeconds
        self.release = release
        self.datasetID = datasetID
        self.generatedAt = generatedAt
        self.run = run
        self.stages = stages
        self.transitions = transitions
        self.monitor = monitor
    }

    /// The file's content: JSON with keys in a fixed order, a stage and a transition to a line.
    public func encode() -> [UInt8] {
        let fields: [(String, String)] =
            [
                ("schema_version", "2".asJSON),
                ("profile_stage_truth_version", "1"),
                ("release", release.asJSON),
                ("dataset_id", datasetID.json(\.asJSON)),
                ("generated_at", generatedAt.asJSON),
                ("run", JSONLine.object(run.jsonFields)),
                ("stages", JSONLine.list(stages.map(\.json))),
                ("transitions", JSONLine.list(transitions.prefix(Self.maximumTransitions).map(\.json))),
                (
                    "transitions_left_out",
                    "\(transitionsLeftOut + max(0, transitions.count - Self.maximumTransitions))"
                ),
            ] + olderFields + [
                ("rfc065_monitor", JSONLine.object(monitor.jsonFields))
            ]
        let lines = fields.map { "  \($0.asJSON): \($1)" }
        return Array("{\n\(lines.joined(separator: ",\n"))\n}\n".utf8)
    }
}

/// JSON written by hand: Foundation's encoder can lay out neither a line per stage nor a number with few decimals.
package enum JSONLine {
    package static func object(_ fields: [(String, String)]) -> String {
        "{" + fields.map { "\($0.asJSON): \($1)" }.joined(separator: ", ") + "}"
    }

    package static func list(_ items: [String]) -> String {
        items.isEmpty ? "[]" : "[\n" + items.map { "    \($0)" }.joined(separator: ",\n") + "\n  ]"
    }

    package static func number(_ value: Double, decimals: Int) -> String {
        // No JSON reader takes what is not finite.
        guard value.isFinite else { return "{\"unavailable\": \"not a finite number\"}" }
        return decimals == 0 ? value.fixed(0) : "\(value.rounded(decimals: decimals))"
    }
}

extension Reading {
    /// The value as JSON, or why there is none.
    func json(_ convert: (Value) -> String) -> String {
        switch self {
        case .value(let value): convert(value)
        case .unavailable(let reason): "{\"unavailable\": \(reason.asJSON)}"
        }
    }
}

extension ResourceUse {
    fileprivate var jsonFields: [(String, String)] {
        metrics.map { metric in
            (metric.runKey, self[metric].json { JSONLine.number($0, decimals: metric.decimals) })
        }
    }
}

extension StageTruth.Stage {
    fileprivate var json: String {
        JSONLine.object(
            [("stage", stage.text.asJSON), ("entered", entered.json { "\($0)" })] + use.jsonFields
                + [
                    ("work_s", workSeconds.json { JSONLine.number($0, decimals: 6) }),
                    ("source", source.asJSON),
                ])
    }
}

extension StageTruth.Transition {
    fileprivate var json: String {
        var fields = [
            ("at_s", JSONLine.number(seconds, decimals: 6)), ("event", isBegin ? "\"begin\"" : "\"end\""),
            ("stage", stage.text.asJSON),
        ]
        if let episode { fields.append(("episode", "\(episode)")) }
        if let node { fields.append(("node", node.asJSON)) }
        return JSONLine.object(fields)
    }
}

extension StageTruth.Monitor {
    fileprivate var jsonFields: [(String, String)] {
        func optional(_ text: String?) -> String { text?.asJSON ?? "null" }
        return [
            ("enabled", isEnabled ? "true" : "false"),
            ("forced_file_log_env", optional(forcedFileLogVariable)), ("source_log", optional(sourceLog)),
            ("archived_log", optional(archivedLog)), ("lines", lines.json { "\($0)" }),
            ("bytes", bytes.json { "\($0)" }), ("note", optional(note)),
        ]
    }
}
