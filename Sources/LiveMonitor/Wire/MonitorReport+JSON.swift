internal import JSONDocument
internal import LinuxProcess
internal import Measurement
internal import Metrics
internal import Stages

extension MonitorReport {
    /// The report as JSON, in pieces: with all its transitions it may be longer than the monitor may be large.
    func writeJSON(_ write: (String) -> Void) {
        write("{\n  \"schema_version\": \(Self.schemaVersion),\n  \"name\": \(name.asJSON),\n")
        write("  \"target_pid\": \(targetPID),\n  \"stages\": [")
        write(stages.map { "\n    \($0.json)" }.joined(separator: ","))
        write("],\n  \"totals\": \(totals.json),\n  \"unattributed_s\": \(unattributed.jsonSeconds),\n")
        write("  \"ticks\": \(ticks),\n  \"log\": \(log?.json ?? "null"),\n")
        write("  \"status_file\": \(statusFile?.asJSON ?? "null"),\n")
        switch exit {
        case .value(let status): write("  \"exit\": {\(status.jsonField)},\n")
        case .unavailable(let reason): write("  \"exit\": \(unavailable(reason)),\n")
        }
        write("  \"highest_episode\": \(highestEpisode.map { "\($0)" } ?? "null"),\n")
        write("  \"last_stages\": [\(lastStages.map(\.text.asJSON).joined(separator: ", "))],\n")
        write("  \"monitor_cpu_s\": \(monitorCPU.inSeconds.fixed(6)),\n")
        write("  \"monitor_peak_rss_bytes\": \(monitorPeakResident.bytes),\n")
        write("  \"notes\": [\(notes.map(\.asJSON).joined(separator: ", "))],\n")
        write("  \"stage_notes\": [\(stageNotes.map(\.asJSON).joined(separator: ", "))],\n")
        write("  \"dropped_transitions\": \(droppedTransitions),\n  \"transitions\": [")
        var piece = ""
        for (index, transition) in transitions.enumerated() {
            piece += (index == 0 ? "\n    " : ",\n    ") + transition.json
            if piece.utf8.count > 1 << 15 {
                write(piece)
                piece = ""
            }
        }
        write(piece + "]\n}\n")
    }

    /// The report as JSON text.
    public var json: String {
        var text = ""
        writeJSON { text += $0 }
        return text
    }

    /// The report in JSON, nil when it is none, or of another major version.
    public static func parse(_ bytes: [UInt8]) -> MonitorReport? {
        guard let fields = JSONValue.parse(bytes)?.object,
            fields["schema_version"]?.integer == Self.schemaVersion,
            let name = fields["name"]?.string, let ticks = fields["ticks"]?.integer,
            let pid = fields["target_pid"]?.integer.flatMap({ Int32(exactly: $0) }),
            let stages = fields["stages"]?.array, let totals = fields["totals"]?.object,
            let transitions = fields["transitions"]?.array,
            let dropped = fields["dropped_transitions"]?.integer,
            let monitorCPU = fields["monitor_cpu_s"]?.number.flatMap({ Duration(secondsFromOutside: $0) })
        else { return nil }
        return MonitorReport(
            name: name, targetPID: pid, stages: stages.compactMap { Stage(json: $0) },
            transitions: transitions.compactMap { Transition(json: $0) }, droppedTransitions: dropped,
            totals: Totals(
                wall: .seconds(totals["wall_s"]), cpu: .seconds(totals["cpu_s"]),
                peakResident: .bytes(totals["peak_rss_bytes"]),
                peakMethod: totals["peak_method"]?.string.flatMap { PeakMethod(rawValue: $0) },
                averageCPUPercent: .number(totals["avg_cpu_pct"]), usage: MetricReadings(jsonFields: totals)),
            unattributed: .seconds(fields["unattributed_s"]), ticks: ticks,
            log: fields["log"].flatMap { Log(json: $0) }, statusFile: fields["status_file"]?.string,
            exit: exit(in: fields["exit"]),
            highestEpisode: fields["highest_episode"]?.integer,
            lastStages: (fields["last_stages"]?.array ?? []).compactMap {
                $0.string.flatMap { StageName($0) }
            },
            monitorCPU: monitorCPU, monitorPeakResident: .bytes(fields["monitor_peak_rss_bytes"]),
            notes: (fields["notes"]?.array ?? []).compactMap(\.string),
            stageNotes: (fields["stage_notes"]?.array ?? []).compactMap(\.string))
    }

    private static func exit(in value: JSONValue?) -> Reading<ExitStatus> {
        if let status = value?.object.flatMap({ ExitStatus(jsonFields: $0) }) { return .value(status) }
        return .unavailable(reason: value.unavailableReason)
    }
}

extension MonitorReport.Stage {
    fileprivate var json: String {
        let fields = [
            "\"stage\": \(name.text.asJSON)", "\"entered\": \(entered)", "\"wall_s\": \(wall.jsonSeconds)",
            "\"work_s\": \(work.jsonSeconds)", "\"cpu_s\": \(cpu.jsonSeconds)",
            "\"peak_rss_bytes\": \(peakResident.bytes)",
            "\"peak_method\": \(peakMethod?.rawValue.asJSON ?? "null")",
            "\"avg_cpu_pct\": \(averageCPUPercent.percent)", "\"shared\": \(isShared)",
            "\"source\": \(source.rawValue.asJSON)", usage.jsonFields,
        ]
        return "{\(fields.joined(separator: ", "))}"
    }

    fileprivate init?(json: JSONValue) {
        guard let fields = json.object, let name = fields["stage"]?.string.flatMap({ StageName($0) }),
            let entered = fields["entered"]?.integer, let isShared = fields["shared"]?.bool,
            let source = fields["source"]?.string.flatMap({ MonitorReport.Source(rawValue: $0) })
        else { return nil }
        self.init(
            name: name, entered: entered, wall: .seconds(fields["wall_s"]), work: .seconds(fields["work_s"]),
            cpu: .seconds(fields["cpu_s"]), peakResident: .bytes(fields["peak_rss_bytes"]),
            peakMethod: fields["peak_method"]?.string.flatMap { MonitorReport.PeakMethod(rawValue: $0) },
            averageCPUPercent: .number(fields["avg_cpu_pct"]), isShared: isShared, source: source,
            usage: MetricReadings(jsonFields: fields))
    }
}

extension MonitorReport.Totals {
    fileprivate var json: String {
        "{\"wall_s\": \(wall.jsonSeconds), \"cpu_s\": \(cpu.jsonSeconds), \"peak_rss_bytes\": \(peakResident.bytes), "
            + "\"peak_method\": \(peakMethod?.rawValue.asJSON ?? "null"), "
            + "\"avg_cpu_pct\": \(averageCPUPercent.percent), \(usage.jsonFields)}"
    }
}

extension MetricReadings {
    fileprivate var jsonFields: String {
        metrics.map { metric in
            let form = metric.wireForm
            let reading = self[metric].json { ($0 * form.scale).fixed(form.decimals) }
            return "\(form.key.asJSON): \(reading)"
        }.joined(separator: ", ")
    }

    fileprivate init(jsonFields fields: [String: JSONValue]) {
        self.init()
        // What only counted runs have is none of the monitor's.
        for metric in Metric.allCases where !Metric.primary.contains(metric) && metric.valueClass != .counted
        {
            let form = metric.wireForm
            self[metric] = .number(fields[form.key]).map { $0 / form.scale }
        }
    }
}

extension Metric {
    /// How a report holds a value: memory in bytes.
    fileprivate var wireForm: (key: String, scale: Double, decimals: Int) {
        guard unit == .mebibytes else { return (runKey, 1, decimals) }
        return (runKey.replacing("_mb", with: "_bytes"), 1_048_576, 0)
    }
}

extension MonitorReport.Log {
    fileprivate var json: String {
        "{\"path\": \(path.asJSON), \"lines\": \(lines), \"bytes\": \(bytes), \"lost\": \(lost)}"
    }

    fileprivate init?(json: JSONValue) {
        guard let fields = json.object, let path = fields["path"]?.string,
            let lines = fields["lines"]?.integer, let bytes = fields["bytes"]?.integer,
            let lost = fields["lost"]?.integer
        else { return nil }
        self.init(path: path, lines: lines, bytes: Int64(bytes), lost: lost)
    }
}

extension MonitorReport.Transition {
    fileprivate var json: String {
        "{\"stage\": \(stage.text.asJSON), \"monotonic_ns\": \(monotonicNanoseconds), "
            + "\"kind\": \"\(isBegin ? "begin" : "end")\""
            + (node.map { ", \"node\": \($0.asJSON)" } ?? "") + "}"
    }

    fileprivate init?(json: JSONValue) {
        guard let fields = json.object, let stage = fields["stage"]?.string.flatMap({ StageName($0) }),
            let monotonic = fields["monotonic_ns"]?.integer, let kind = fields["kind"]?.string
        else { return nil }
        self.init(
            stage: stage, monotonicNanoseconds: Int64(monotonic), isBegin: kind == "begin",
            node: fields["node"]?.string)
    }
}

private func unavailable(_ reason: String) -> String { "{\"unavailable\": \(reason.asJSON)}" }

extension JSONValue {
    fileprivate var integer: Int? { number.flatMap { Int(exactly: $0) } }
}

extension JSONValue? {
    fileprivate var unavailableReason: String {
        self?.object?["unavailable"]?.string ?? "the report does not say"
    }
}

extension Reading<Duration> {
    fileprivate var jsonSeconds: String {
        switch self {
        case .value(let value): value.inSeconds.fixed(6)
        case .unavailable(let reason): LiveMonitor.unavailable(reason)
        }
    }

    fileprivate static func seconds(_ value: JSONValue?) -> Self {
        value?.number.flatMap { Duration(secondsFromOutside: $0) }.map { .value($0) }
            ?? .unavailable(reason: value.unavailableReason)
    }
}

extension Reading<ByteCount> {
    fileprivate var bytes: String {
        switch self {
        case .value(let value): "\(value.bytes)"
        case .unavailable(let reason): LiveMonitor.unavailable(reason)
        }
    }

    fileprivate static func bytes(_ value: JSONValue?) -> Self {
        value?.integer.map { .value(ByteCount(bytes: Int64($0))) }
            ?? .unavailable(reason: value.unavailableReason)
    }
}

extension Reading {
    /// The value as JSON, or why there is none.
    fileprivate func json(_ convert: (Value) -> String) -> String {
        switch self {
        case .value(let value): convert(value)
        case .unavailable(let reason): LiveMonitor.unavailable(reason)
        }
    }
}

extension Reading<Double> {
    fileprivate var percent: String {
        switch self {
        case .value(let value): value.fixed(3)
        case .unavailable(let reason): LiveMonitor.unavailable(reason)
        }
    }

    fileprivate static func number(_ value: JSONValue?) -> Self {
        value?.number.map { .value($0) } ?? .unavailable(reason: value.unavailableReason)
    }
}
