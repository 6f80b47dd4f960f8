internal import Measurement

/// The figures of a run, in `metrics.json` (docs/formats/podcast-output.md).
struct RunMetrics {
    var feed: Feed
    var reports: [EpisodeReport]
    /// The spans of stages that belong to no episode.
    var spans: [StageSpan]
    /// The whole run.
    var wall: Duration

    var json: JSONOutput {
        .object([
            ("schema_version", .integer(2)),
            ("feed_title", .string(feed.title)),
            ("episodes_in_feed", .integer(feed.episodes.count)),
            ("episodes_processed", .integer(reports.filter { $0.failure == nil }.count)),
            ("episodes_reused", .integer(reports.filter(\.isReused).count)),
            ("episodes_failed", .integer(reports.filter { $0.failure != nil }.count)),
            ("audio_s", .number(audioSeconds, decimals: 3)),
            ("wall_s", .number(wall.inSeconds, decimals: 6)),
            ("feed_notes", .array(feed.notes.map { .string($0) })),
            ("stages", .array(stages)),
            ("episodes", .array(reports.map(\.json))),
        ])
    }

    /// The audio that was transcribed in this run, in seconds.
    private var audioSeconds: Double {
        reports.filter { !$0.isReused }.reduce(0) { $0 + ($1.audio?.inSeconds ?? 0) }
    }

    /// By stage, in order of first entry.
    private var stages: [JSONOutput] {
        let all = (spans + reports.flatMap(\.stages)).sorted { $0.start < $1.start }
        var order: [StageName] = []
        var byStage: [StageName: [StageSpan]] = [:]
        for span in all {
            if byStage[span.stage] == nil { order.append(span.stage) }
            byStage[span.stage, default: []].append(span)
        }
        return order.map { name in
            let spans = byStage[name] ?? []
            return .object([
                ("stage", .string(name.text)), ("entered", .integer(spans.count)),
                ("wall_s", .number(Self.union(spans).inSeconds, decimals: 6)),
                ("work_s", .number(spans.reduce(0) { $0 + $1.wall.inSeconds }, decimals: 6)),
                ("thread_cpu_s", .number(spans.reduce(0) { $0 + $1.threadCPU.inSeconds }, decimals: 6)),
            ])
        }
    }

    /// The time during which at least one span was open; the spans in order of their starts.
    static func union(_ spans: [StageSpan]) -> Duration {
        var total: Int64 = 0
        var coveredUntil = Int64.min
        for span in spans where span.end > coveredUntil {
            total += span.end - max(span.start, coveredUntil)
            coveredUntil = span.end
        }
        return Duration(nanosecondCount: total)
    }
}
