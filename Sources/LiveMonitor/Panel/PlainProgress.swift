internal import Measurement
internal import Stages

/// Progress for where nothing can be drawn: a line when the stage or the episode changes, and one every so often. Where they
/// change fast, few changes have a line of their own, and the next line says how many had none.
struct PlainProgress {
    private let interval: Duration
    private var budget = LineBudget(burst: 5, perSecond: 0.5)
    /// The stages and the episode as they were last, and when there was a line last.
    private var seen: (stages: [StageName], episode: Int?)?
    private var shownAt: Duration?
    /// Whether what was seen last has had no line yet.
    private var isPending = false

    /// Progress with a line at least once in an interval.
    init(interval: Duration) {
        self.interval = interval
    }

    /// The line to show at a tick; nil when there is nothing new to say.
    mutating func line(_ tick: Tick) -> String? {
        let sinceShown = tick.elapsed - (shownAt ?? .zero)
        // A pause between two stages is over before anybody has read of it; a long one is reported in time.
        if tick.stages.isEmpty, sinceShown < interval { return nil }
        let isNew = seen.map { $0.stages != tick.stages || $0.episode != tick.episode?.index } ?? true
        seen = (tick.stages, tick.episode?.index)
        guard isNew || isPending || sinceShown >= interval else { return nil }
        isPending = !budget.take(at: tick.elapsed, isNew: isNew)
        if isPending { return nil }
        shownAt = tick.elapsed
        return Self.text(tick, folded: budget.takeFolded())
    }

    /// The line of a tick, such as
    /// `freeze-profile t=154.0s stage=summarization episode=3/10 stage_t=45.0s rss=542MiB peak=617MiB cpu=24.8%`.
    ///
    /// - Parameter folded: How many changes since the line before had none.
    static func text(_ tick: Tick, folded: Int = 0) -> String {
        var fields = ["freeze-profile", "t=\(tick.elapsed.inSeconds.fixed(1))s"]
        if let stage = tick.stages.first { fields.append("stage=\(LogText.quoted(stage.text))") }
        if let episode = tick.episode {
            fields.append("episode=\(episode.index)" + (episode.total.map { "/\($0)" } ?? ""))
        }
        // At the change itself there is nothing to say of it.
        if let elapsed = tick.stageElapsed, elapsed >= .milliseconds(50) {
            fields.append("stage_t=\(elapsed.inSeconds.fixed(1))s")
        }
        // What is not known is left out: these lines are for people, the log is for programs.
        if let resident = tick.resident.value { fields.append("rss=\(resident.mebibytes.fixed(0))MiB") }
        if let peak = tick.peak.value { fields.append("peak=\(peak.mebibytes.fixed(0))MiB") }
        if let cpu = tick.cpuPercent.value { fields.append("cpu=\(cpu.fixed(1))%") }
        if folded > 0 { fields.append("folded=\(folded)") }
        return fields.joined(separator: " ")
    }
}
