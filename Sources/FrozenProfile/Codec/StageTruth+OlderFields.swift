internal import JSONDocument
internal import Measurement

extension StageTruth {
    /// The fields of the Python pipeline's files, under the names that its readers look for, with exact values.
    ///
    /// Those readers expect numbers. What a stage lacks is left out here; `stages` says why.
    var olderFields: [(String, String)] {
        let walls = stages.compactMap { stage in
            stage.use.wallSeconds.value.map { (stage.stage.text, $0.rounded(decimals: 4)) }
        }
        let mapped = walls.reduce(0) { $0 + $1.1 }.rounded(decimals: 4)
        return [
            ("source_metrics_path", sourceFile.json(\.asJSON)),
            ("sample_interval_s", sampleIntervalSeconds.json { JSONLine.number($0, decimals: 4) }),
            ("run_wall_s", run.wallSeconds.json { JSONLine.number($0, decimals: 4) }),
            ("sum_mapped_stage_wall_s", JSONLine.number(mapped, decimals: 4)),
            ("parallelism_hint_ratio", ratio(mapped).json { JSONLine.number($0, decimals: 4) }),
            (
                "wall_seconds_by_stage",
                JSONLine.object(walls.map { ($0.0, JSONLine.number($0.1, decimals: 4)) })
            ),
            ("resource_by_stage_psutil", JSONLine.object(stages.compactMap(\.olderResources))),
            (
                "global_peak_rss_mb_sampled", run.peakResidentMB.json { JSONLine.number($0, decimals: 2) }
            ),
            ("metrics_excerpt", JSONLine.object(metricsExcerpt)),
        ]
    }

    /// All stages' wall time by that of the run: above 1 stages ran at the same time.
    private func ratio(_ mapped: Double) -> Reading<Double> {
        run.wallSeconds.flatMap { wall in
            wall > 0 ? .value(mapped / wall) : .unavailable(reason: "the run took no time")
        }
    }

    /// How often each stage of the podcast pipeline was entered and how long a span took on average, as that pipeline
    /// names it.
    private var metricsExcerpt: [(String, String)] {
        var fields: [(String, String)] = []
        if let wall = run.wallSeconds.value {
            fields.append(("run_duration_seconds", JSONLine.number(wall, decimals: 4)))
        }
        for stage in stages {
            let work = stage.workSeconds.value ?? stage.use.wallSeconds.value
            guard let work else { continue }
            if let key = StageTruth.totalKeys[stage.stage] {
                fields.append((key, JSONLine.number(work, decimals: 4)))
            } else if let key = StageTruth.spanKeys[stage.stage], let count = stage.entered.value, count > 0 {
                fields.append(("\(key)_count", "\(count)"))
                fields.append(
                    ("avg_\(key)_seconds", JSONLine.number(work / Double(count), decimals: 4)))
            }
        }
        return fields
    }

    private static let totalKeys: [StageName: String] = [
        .rssFeedFetch: "time_scraping", .vectorIndexing: "vector_index_seconds",
    ]
    private static let spanKeys: [StageName: String] = [
        .mediaDownload: "download_media", .audioPreprocessing: "preprocessing",
        .transcription: "transcribe", .speakerDetection: "extract_names", .transcriptCleaning: "cleaning",
        .summarization: "summarize", .giGeneration: "gi", .kgExtraction: "kg",
    ]
}

extension StageTruth.Stage {
    /// Peak and CPU of the stage, nil when it has neither.
    fileprivate var olderResources: (String, String)? {
        var fields: [(String, String)] = []
        if let peak = use.peakResidentMB.value {
            fields.append(("peak_rss_mb", JSONLine.number(peak, decimals: 2)))
        }
        if let cpu = use.averageCPUPercent.value {
            fields.append(("avg_cpu_pct", JSONLine.number(cpu, decimals: 2)))
        }
        return fields.isEmpty ? nil : (stage.text, JSONLine.object(fields))
    }
}
