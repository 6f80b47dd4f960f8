internal import LinuxProcess
internal import Measurement
internal import Metrics
internal import Stages

/// The lines of `.monitor.log`. Keys keep their order; new ones come at the end of a line.
enum LogText {
    /// The line that begins a session in an appended log.
    static func header(name: String, reason: String, start: Timestamp) -> String {
        "# \(identifier(name)) monitor (\(reason); append log) session_start=\(start.iso8601WithoutFraction)"
    }

    /// A name as one word that programs can match: what is no ASCII letter, digit, `_` or `.` becomes `_`.
    static func identifier(_ name: String) -> String {
        let word = name.prefix(128).map { character in
            character.isASCII && (character.isLetter || character.isNumber || "_.".contains(character))
                ? character : "_"
        }
        return word.isEmpty ? "pipeline" : String(word)
    }

    /// The line of a tick.
    ///
    /// - Parameter folded: How many transitions since the line before have none.
    static func line(_ tick: Tick, folded: Int = 0) -> String {
        var fields = [
            tick.timestamp.iso8601, "pid=\(tick.pid)",
            "stage=\(tick.stages.first.map { quoted($0.text) } ?? tick.idleWord ?? unavailable)",
        ]
        if let episode = tick.episode {
            fields.append("episodes=\(episode.index)/\(episode.total.map { "\($0)" } ?? "?")")
        }
        fields += [
            "rss_mb=\(tick.resident.mebibytes)", "peak_rss_mb=\(tick.peak.mebibytes)",
            "cpu_pct=\(tick.cpuPercent.oneDecimal)", "elapsed_s=\(tick.elapsed.inSeconds.fixed(1))",
            "stage_elapsed_s=\(tick.stageElapsed?.inSeconds.fixed(1) ?? unavailable)",
        ]
        if tick.isHeapCaptured { fields.append("memray=1") }
        if tick.stages.count > 1 {
            let others = tick.stages.dropFirst().map(\.text).joined(separator: ",")
            fields.append("also_active=\(quoted(others))")
        }
        if folded > 0 { fields.append("folded=\(folded)") }
        return fields.joined(separator: " ")
    }

    /// The lines that end a session.
    static func summary(_ report: MonitorReport) -> [String] {
        let totals = report.totals
        var lines = [
            "# summary",
            "total_wall_s=\(totals.wall.seconds) peak_rss_mb=\(totals.peakResident.mebibytes) "
                + "avg_cpu_pct=\(totals.averageCPUPercent.oneDecimal) cpu_s=\(totals.cpu.seconds) "
                + "unattributed_s=\(report.unattributed.seconds)\(usage(totals.usage))",
        ]
        for stage in report.stages {
            lines.append(
                "  stage=\(quoted(stage.name.text)) wall_s=\(stage.wall.seconds) "
                    + "peak_mb=\(stage.peakResident.mebibytes) avg_cpu=\(stage.averageCPUPercent.oneDecimal) "
                    + "cpu_s=\(stage.cpu.seconds) entered=\(stage.entered)"
                    + (stage.isShared ? " shared=1" : "") + usage(stage.usage))
        }
        if let exit = report.exit.value {
            let last = report.lastStages.first.map { " last_stage=\(quoted($0.text))" } ?? ""
            switch exit {
            case .code(let code): lines.append("pipeline_exited=1 exit_code=\(code)\(last)")
            case .signal(let signal): lines.append("pipeline_exited=1 signal=\(signal)\(last)")
            }
        }
        return lines
    }

    /// The keys of the first version of the log, in its order; others come after them.
    private static let firstKeys: [Metric] = [
        .diskRead, .diskWritten, .majorFaults, .voluntarySwitches, .involuntarySwitches, .runQueueWait,
        .proportionalResident, .instructions,
    ]

    private static func usage(_ usage: MetricReadings) -> String {
        let others = usage.metrics.filter { !firstKeys.contains($0) }
        return (firstKeys + others).map { metric in
            let reading = usage[metric]
            if metric.definition.isOptional && reading.value == nil { return "" }
            let (key, value): (String, Double?) =
                metric.unit == .bytes
                ? (metric.runKey.replacing("_bytes", with: "_mb"), reading.value.map { $0 / 1_048_576 })
                : (metric.runKey, reading.value)
            return " \(key)=\(value?.fixed(metric.unit.logDecimals) ?? unavailable)"
        }.joined()
    }

    /// What a person reads about the end of a pipeline.
    static func ending(_ report: MonitorReport) -> String? {
        guard let exit = report.exit.value else { return nil }
        let last = report.lastStages.first.map { " Last stage: \($0.text)." } ?? ""
        return "Pipeline process \(exit).\(last)"
    }

    static let unavailable = "unavailable"

    /// A value as it is, or in quotation marks when it holds what would break the line apart.
    static func quoted(_ value: String) -> String {
        guard value.contains(where: { $0 == " " || $0 == "=" || $0 == "\"" || $0 == "\\" }) else {
            return value
        }
        let escaped = value.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
        return "\"\(escaped)\""
    }
}

extension Reading<ByteCount> {
    var mebibytes: String { value?.mebibytes.fixed(2) ?? LogText.unavailable }
}

extension Reading<Duration> {
    var seconds: String { value?.inSeconds.fixed(3) ?? LogText.unavailable }
}

extension Reading<Double> {
    var oneDecimal: String { value?.fixed(1) ?? LogText.unavailable }
}

extension MetricUnit {
    /// The decimals in the log.
    fileprivate var logDecimals: Int {
        switch self {
        case .seconds: 3
        case .mebibytes, .bytes: 2
        case .percent: 1
        case .count: 0
        }
    }
}
