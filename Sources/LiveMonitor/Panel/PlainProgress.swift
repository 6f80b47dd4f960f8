internal import Measurement
internal import Stages

/// Progress for where nothing can be drawn: a line when the stage or the episode changes, and one every so often.
struct PlainProgress {
    private let interval: Duration
    private var lastShown: (stages: [StageName], episode: Int?, elapsed: Duration)?

    /// Progress with a line at least once in an interval.
    init(interval: Duration) {
        self.interval = interval
    }

    /// The line to show at a tick; nil when there is nothing new to say.
    mutating func line(_ tick: Tick) -> String? {
        if let last = lastShown, last.stages == tick.stages, last.episode == tick.episode?.index,
            tick.elapsed - last.elapsed < interval
        {
            return nil
        }
        // A pause between two stages is over before anybody has read of it; a long one is told in time.
        if tick.stages.isEmpty, tick.elapsed - (lastShown?.elapsed ?? .zero) < interval { return nil }
        lastShown = (tick.stages, tick.episode?.index, tick.elapsed)
        return Self.text(tick)
    }

    /// The line of a tick, such as
    /// `freeze-profile t=154.0s stage=summarization episode=3/10 stage_t=45.0s rss=542MiB peak=617MiB cpu=24.8%`.
    static func text(_ tick: Tick) -> String {
        var fields = ["freeze-profile", "t=\(tick.elapsed.inSeconds.fixed(1))s"]
        if let stage = tick.stages.first { fields.append("stage=\(LogText.quoted(stage.text))") }
        if let episode = tick.episode {
            fields.append("episode=\(episode.index)" + (episode.total.map { "/\($0)" } ?? ""))
        }
        if let elapsed = tick.stageElapsed { fields.append("stage_t=\(elapsed.inSeconds.fixed(1))s") }
        // What is not known is left out: these lines are for people, the log is for programs.
        if let resident = tick.resident.value { fields.append("rss=\(resident.mebibytes.fixed(0))MiB") }
        if let peak = tick.peak.value { fields.append("peak=\(peak.mebibytes.fixed(0))MiB") }
        if let cpu = tick.cpuPercent.value { fields.append("cpu=\(cpu.fixed(1))%") }
        return fields.joined(separator: " ")
    }
}
