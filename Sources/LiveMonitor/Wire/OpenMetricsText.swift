internal import LinuxProcess
public import Measurement
internal import Metrics

/// A run's account as gauges for Prometheus (docs/formats/openmetrics.md).
///
/// The text is OpenMetrics and Prometheus' own format at once: gauges without timestamps, the only kind of which both say
/// the same, and which node_exporter's textfile collector and a Pushgateway take. When the run ended is a gauge itself.
public struct OpenMetricsText: Sendable {
    /// The most stages that are reported singly: every one is a series for ever.
    public static let stageLimit = 100

    private let report: MonitorReport
    private let finished: Timestamp
    private let place: [(name: String, value: String)]

    /// The account of a run.
    ///
    /// - Parameters:
    ///   - report: What the monitor found out.
    ///   - finished: When the run ended.
    ///   - place: Labels that every series gets besides the pipeline's: where the run was made.
    public init(
        _ report: MonitorReport, finished: Timestamp, place: [(name: String, value: String)] = []
    ) {
        self.report = report
        self.finished = finished
        self.place = place
    }

    /// The file's bytes. What could not be had has no line: a missing series is not zero.
    public var bytes: [UInt8] {
        var text = ""
        for family in families {
            text += "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) gauge\n"
            if let unit = family.unit { text += "# UNIT \(family.name) \(unit)\n" }
            for sample in family.samples {
                let labels = ([("pipeline", report.name)] + place.map { ($0.name, $0.value) } + sample.labels)
                    .map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
                text += "\(family.name){\(labels)} \(sample.value)\n"
            }
        }
        return Array((text + "# EOF\n").utf8)
    }

    private struct Family {
        var name: String
        var help: String
        var unit: String?
        var samples: [(labels: [(String, String)], value: String)] = []
    }

    private var families: [Family] {
        let stages = report.stages.prefix(Self.stageLimit)
        func family(
            _ name: String, _ help: String, _ unit: String?, _ value: (MonitorReport.Stage) -> String?
        ) -> Family {
            var family = Family(name: "freeze_profile_stage_\(name)", help: help, unit: unit)
            for stage in stages {
                if let value = value(stage) {
                    family.samples.append(
                        ([("stage", PlainText.sanitized(stage.name.text, maximumCharacters: 128))], value))
                }
            }
            return family
        }
        let ofStages = [
            family("wall_seconds", "Time during which the stage was open.", "seconds") {
                $0.wall.value.map(Self.seconds)
            },
            family("work_seconds", "The sum of the durations of the stage's spans.", "seconds") {
                $0.work.value.map(Self.seconds)
            },
            family(
                "cpu_seconds", "CPU time of the pipeline and its descendants between the stage's edges.",
                "seconds"
            ) {
                $0.cpu.value.map(Self.seconds)
            },
            family("peak_resident_bytes", "The most memory resident while the stage was open.", "bytes") {
                $0.peakResident.value.map { String($0.bytes) }
            },
            family("disk_read_bytes", "Fetched from storage between the stage's edges.", "bytes") {
                $0.usage[.diskRead].value.map { String(Int64($0)) }
            },
            family(
                "disk_written_bytes", "Written between the stage's edges, to reach storage later.", "bytes"
            ) {
                $0.usage[.diskWritten].value.map { String(Int64($0)) }
            },
            family("entries", "How often the stage was begun.", nil) { String($0.entered) },
        ]
        return (ofStages + ofRun).filter { !$0.samples.isEmpty }
    }

    private var ofRun: [Family] {
        func family(_ name: String, _ help: String, _ unit: String?, _ value: String?) -> Family {
            Family(
                name: "freeze_profile_run_\(name)", help: help, unit: unit,
                samples: value.map { [(labels: [], value: $0)] } ?? [])
        }
        let totals = report.totals
        return [
            family(
                "wall_seconds", "From the start of the watching to the pipeline's end.", "seconds",
                totals.wall.value.map(Self.seconds)),
            family(
                "cpu_seconds", "CPU time of the pipeline and its descendants.", "seconds",
                totals.cpu.value.map(Self.seconds)),
            family(
                "peak_resident_bytes", "The most memory resident at one time.", "bytes",
                totals.peakResident.value.map { String($0.bytes) }),
            family(
                "exit_code", "The pipeline's exit code, as a shell reports it.", nil,
                report.exit.value.map { String($0.shellCode) }),
            family(
                "episodes", "The highest episode that the pipeline reported.", nil,
                report.highestEpisode.map { String($0) }),
            family(
                "stages_left_out", "Stages beyond the first \(Self.stageLimit), which have no series.", nil,
                String(max(0, report.stages.count - Self.stageLimit))),
            family(
                "completion_timestamp_seconds", "When the run ended, in seconds since 1970.", "seconds",
                finished.secondsSinceEpoch.fixed(3)),
        ]
    }

    private static func seconds(_ duration: Duration) -> String { duration.inSeconds.fixed(6) }

    /// A label's value in quotes.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in PlainText.sanitized(text, maximumCharacters: 200).unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
