internal import JSONDocument
internal import Measurement

/// The state behind our status file, and its text. Pure: the clocks are read by the caller.
struct StatusText {
    private let pid: Int32
    private let startedAt: Timestamp
    private var clock = StageClock()
    /// CPU time of each stage, by its index in the clock.
    private var cpu: [StageCPU] = []
    /// What is shown while nothing is open: the stage that was open last, or `done`.
    private var last: (stage: StageName, since: Timestamp, episode: EpisodePosition?)?
    /// Bytes of history that the stages finished so far would take.
    private var historySize = 0
    /// Bytes that were written since the history was last among them.
    private var sinceHistory = 0

    private struct StageCPU {
        var spent = Duration.zero
        var since: Duration?
    }

    /// Up to this size the history is always written. A longer one is written when as much else has been written since,
    /// so that a run of many stages writes at most twice what it would without.
    static let smallHistory = 4096
    /// Entries beyond this size are left out, so that the file stays below what a reader takes.
    static let maximumHistory = 192 << 10
    private static let maximumActive = 32 << 10

    init(pid: Int32, startedAt: Timestamp) {
        self.pid = pid
        self.startedAt = startedAt
    }

    /// Takes in an event; false when it changed nothing.
    mutating func apply(_ event: StageEvent, at moment: StageMoment) -> Bool {
        if event.kind == .begin, event.stage == .done {
            last = (.done, moment.timestamp, nil)
            return true
        }
        let changes = clock.apply(event)
        for change in changes { account(change, at: moment) }
        if !changes.isEmpty { last = current(at: moment) }
        return !changes.isEmpty
    }

    /// The events that end all open spans, the latest first.
    func endings(at moment: StageMoment) -> [StageEvent] {
        clock.spans.reversed().map {
            StageEvent(
                .end, clock.stages[$0.stage].name, episode: $0.episode, threadID: $0.threadID,
                processID: pid, at: moment.monotonicNanoseconds,
                processCPUNanoseconds: moment.processCPU.inNanoseconds)
        }
    }

    /// The status file's text.
    mutating func text(isFinal: Bool = false) -> String {
        guard let last else { return "{}\n" }
        var fields = [
            "\"schema_version\": 1",
            "\"pid\": \(pid)",
            "\"stage\": \(last.stage.text.asJSON)",
            "\"started_at\": \(startedAt.secondsSinceEpoch.fixed(6))",
            "\"stage_started_at\": \(last.since.secondsSinceEpoch.fixed(6))",
        ]
        if let episode = last.episode {
            fields.append("\"episode_idx\": \(episode.index)")
            if let total = episode.total { fields.append("\"episode_total\": \(total)") }
        }
        fields.append("\"active_stages\": [\(activeText)]")
        let hasHistory = isFinal || historySize <= Self.smallHistory || sinceHistory >= historySize
        if hasHistory { fields.append("\"history\": [" + historyText + "]") }
        let text = "{\n  " + fields.joined(separator: ",\n  ") + "\n}\n"
        sinceHistory = hasHistory ? 0 : sinceHistory + text.utf8.count
        return text
    }

    private mutating func account(_ change: StageClock.Change, at moment: StageMoment) {
        let index = change.stage
        while cpu.count <= index { cpu.append(StageCPU()) }
        switch change {
        case .opened(_, let isFirst):
            if isFirst { cpu[index].since = moment.processCPU }
        case .closed(_, let isLast):
            if clock.stages[index].finished == 1 {
                historySize += clock.stages[index].name.text.utf8.count + 120
            }
            guard isLast, let since = cpu[index].since else { return }
            cpu[index].spent += moment.processCPU - since
            cpu[index].since = nil
        }
    }

    /// The stage that was begun last among the open ones; where none is open, the one shown before.
    private func current(at moment: StageMoment) -> (StageName, Timestamp, EpisodePosition?)? {
        guard let span = clock.spans.last else { return last }
        let age = moment.monotonicNanoseconds - span.start
        let since = Timestamp(nanosecondsSinceEpoch: moment.timestamp.nanosecondsSinceEpoch - age)
        return (clock.stages[span.stage].name, since, span.episode)
    }

    private var activeText: String {
        var size = 0
        return clock.activeNames.map(\.text.asJSON).prefix {
            size += $0.utf8.count
            return size <= Self.maximumActive
        }.joined(separator: ", ")
    }

    private var historyText: String {
        var size = 0
        return clock.stages.indices.filter { clock.stages[$0].finished > 0 }.lazy.map { historyText($0) }
            .prefix {
                size += $0.utf8.count
                return size <= Self.maximumHistory
            }.map { "\n    \($0)" }.joined(separator: ",")
    }

    private func historyText(_ index: Int) -> String {
        let stage = clock.stages[index]
        let wall = Duration(nanosecondCount: stage.wall).inSeconds.fixed(6)
        let work = Duration(nanosecondCount: stage.work).inSeconds.fixed(6)
        let shared = stage.isShared ? ", \"shared\": true" : ""
        return "{\"stage\": \(stage.name.text.asJSON), \"entered\": \(stage.finished), \"wall_s\": \(wall), "
            + "\"work_s\": \(work), \"cpu_s\": \(cpu[index].spent.inSeconds.fixed(6))\(shared)}"
    }
}
