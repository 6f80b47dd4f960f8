internal import Measurement
internal import Stages

/// Everything the panel shows. What draws it knows nothing else.
struct PanelState: Equatable {
    /// An open stage.
    struct Open: Equatable {
        var name: StageName
        var elapsed: Duration
    }

    /// A line of the table.
    struct Row: Equatable {
        var name: String
        var wall: Reading<Duration>
        var cpu: Reading<Duration>
        var peak: Reading<ByteCount>
        var averageCPU: Reading<Double>
        /// Whether other stages were open at the same time, which share its figures.
        var isShared = false
    }

    var name: String
    var pid: Int32
    var elapsed: Duration
    /// The one begun last first.
    var open: [Open]
    var episode: EpisodePosition?
    /// The time that is left by the pace so far; nil before there is a pace.
    var remaining: Duration?
    var resident: Reading<ByteCount>
    var peak: Reading<ByteCount>
    var cpuPercent: Reading<Double>
    /// Mebibytes at the ticks, oldest first.
    var residentHistory: [Double] = []
    /// Percent at the ticks, oldest first.
    var cpuHistory: [Double] = []
    /// Moved from and to storage so far, and how fast, in bytes a second.
    var diskRead: Reading<ByteCount> = .unavailable(reason: "it was not read")
    var diskWritten: Reading<ByteCount> = .unavailable(reason: "it was not read")
    var diskRate: Reading<Double> = .unavailable(reason: "it was not read")
    /// Bytes a second at the ticks, oldest first.
    var diskHistory: [Double] = []
    /// The busiest processes, where there are several and they are wanted.
    var processes: [BusyProcess] = []
    var processCount = 1
    /// The lines kept for them: children that come and go must not make the panel jump.
    var processLines = 0
    /// Finished stages in order of first entry.
    var finished: [Row] = []
    /// Whether a heap profiler is at work.
    var isHeapCaptured = false
    /// Where the log is written, nil when there is none.
    var logPath: String?
    /// A line about the keys, nil when there is nothing to say.
    var remark: String?
    /// Something that went wrong with the monitor itself.
    var problem: String?
}

/// The pace of a series of episodes.
struct EpisodePace {
    private var last: (index: Int, since: Duration)?
    private var first: (index: Int, since: Duration)?

    /// Takes in the position at a moment.
    mutating func update(_ episode: EpisodePosition?, elapsed: Duration) {
        guard let episode else {
            (first, last) = (nil, nil)
            return
        }
        if let known = last, known.index == episode.index { return }
        // A series that begins anew (the next stage goes over the same episodes) has a pace of its own.
        if last.map({ $0.index > episode.index }) ?? true { first = (episode.index, elapsed) }
        last = (episode.index, elapsed)
    }

    /// The time that is left; nil before two episodes are through, or when their number is not known.
    func remaining(_ episode: EpisodePosition?, elapsed: Duration) -> Duration? {
        guard let total = episode?.total, let first, let last, last.index - first.index >= 2,
            total >= last.index
        else { return nil }
        let each = (last.since - first.since).inSeconds / (Double(last.index) - Double(first.index))
        let left = each * (Double(total) - Double(last.index) + 1) - (elapsed - last.since).inSeconds
        // A pipeline may name any total.
        return Duration(secondsFromOutside: max(0, left))
    }
}
