internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import PipelineStatus

/// A transition as the pipeline told it.
struct StageEdge: Equatable {
    var isBegin: Bool
    var stage: StageName
    var monotonic: Int64
    /// CPU time of the pipeline's process at that moment by its own clock, where the trace tells it.
    var processCPU: Int64?
}

/// Joins the event trace and the status file into edges.
///
/// A pipeline that writes the trace is believed to the nanosecond and loses nothing. For one that writes only the
/// status file each replacement counts that could be read before the next one.
struct StageFeed {
    /// Where the edges come from; nil until there is one.
    private(set) var source: MonitorReport.Source?
    /// What the status file said last.
    private(set) var snapshot: StatusSnapshot?
    private(set) var problem: StatusSnapshot.Problem?
    private(set) var episode: EpisodePosition? {
        didSet { highestEpisode = [highestEpisode, episode?.index].compactMap { $0 }.max() }
    }
    /// The highest episode told so far: how many the run went through.
    private(set) var highestEpisode: Int?
    /// Whether the pipeline has said that its last stage is over.
    var isDone: Bool { snapshot?.stage == .done }

    /// How many files that followed each other at the status file's path have been read.
    private(set) var filesRead = 0
    private var lastFile: Files.Identity?

    private let statusFile: String
    private let earliest: Int64
    private var trace: TraceReader
    private var differ = StatusDiffer()

    var ignoredTraceLines: Int { trace.ignoredLines }

    /// A feed of a run that started not before a moment of CLOCK_MONOTONIC.
    init(statusFile: String, earliest: Int64) {
        self.statusFile = statusFile
        self.earliest = earliest
        trace = TraceReader(path: StatusLocation(statusFile: statusFile).eventTrace, earliest: earliest)
    }

    /// The edges that have come since the last call, oldest first.
    ///
    /// The trace is read before the status file, because it is written before it: a pipeline that writes both is
    /// never taken for one that writes only the latter.
    mutating func read() -> [StageEdge] {
        var edges: [StageEdge] = []
        if source != .statusFile {
            for event in trace.next() {
                source = .eventTrace
                // The last end still tells where the pipeline was; only a begin without an episode leaves the series.
                if event.isBegin || event.episode != nil {
                    episode = event.episode.map { EpisodePosition(index: $0, total: nil) }
                }
                guard event.stage != .done else { continue }
                edges.append(
                    StageEdge(
                        isBegin: event.isBegin, stage: event.stage, monotonic: event.monotonicNanoseconds,
                        processCPU: event.processCPUNanoseconds))
            }
        }
        readStatus()
        guard source != .eventTrace, let snapshot else { return edges }
        let now = SystemClock.monotonicNanoseconds
        let found = differ.edges(
            to: snapshot, now: now, wallClock: SystemClock.now, earliest: earliest)
        if !found.isEmpty { source = .statusFile }
        return found
    }

    private mutating func readStatus() {
        do throws(StatusSnapshot.Problem) {
            var file: Files.Identity?
            defer {
                if let file, file != lastFile {
                    filesRead += 1
                    lastFile = file
                }
            }
            let read = try StatusSnapshot.read(statusFile, identity: &file)
            guard !isOfEarlierRun(read) else { return }
            snapshot = read
            problem = nil
            if source != .eventTrace { episode = read.episode }
        } catch {
            problem = error
        }
    }

    /// A fixed output directory may still hold the file of the run before.
    private func isOfEarlierRun(_ snapshot: StatusSnapshot) -> Bool {
        guard let started = snapshot.stageStartedAt ?? snapshot.startedAt else { return false }
        let age = started.duration(to: SystemClock.now).inNanoseconds
        // A second is allowed for: the wall clock may be stepped.
        return SystemClock.monotonicNanoseconds - age < earliest - 1_000_000_000
    }
}

/// Finds the transitions between two states of the status file. Pure.
struct StatusDiffer {
    private var active: [StageName] = []
    private var stageStartedAt: Timestamp?
    private var lastEdge: Int64?

    /// The edges that lead to a snapshot.
    ///
    /// - Parameters:
    ///   - snapshot: What the file says now.
    ///   - now: CLOCK_MONOTONIC of the reading, in nanoseconds.
    ///   - wallClock: The wall clock at the same moment.
    ///   - earliest: No edge is before this moment.
    mutating func edges(to snapshot: StatusSnapshot, now: Int64, wallClock: Timestamp, earliest: Int64)
        -> [StageEdge]
    {
        let current = snapshot.stage == .done ? [] : [snapshot.stage]
        let desired = (snapshot.activeStages ?? current).filter { $0 != .done }
        let isReentry =
            snapshot.activeStages == nil && active == desired && !active.isEmpty
            && hasMoved(snapshot.stageStartedAt)
        let ended = isReentry ? active : active.filter { !desired.contains($0) }
        let begun = isReentry ? desired : desired.filter { !active.contains($0) }
        guard !ended.isEmpty || !begun.isEmpty else { return [] }
        let moment = edgeTime(snapshot.stageStartedAt, now: now, wallClock: wallClock, earliest: earliest)
        active = desired
        stageStartedAt = snapshot.stageStartedAt
        lastEdge = moment
        return ended.map { StageEdge(isBegin: false, stage: $0, monotonic: moment) }
            + begun.map { StageEdge(isBegin: true, stage: $0, monotonic: moment) }
    }

    /// Whether the same stage has been begun anew: its start is another one, by more than rounding.
    private func hasMoved(_ started: Timestamp?) -> Bool {
        guard let started, let stageStartedAt else { return false }
        return stageStartedAt.duration(to: started) > .microseconds(500)
    }

    /// The writer's own moment when it can be true: not in the future, not before the edge before it.
    private func edgeTime(_ started: Timestamp?, now: Int64, wallClock: Timestamp, earliest: Int64) -> Int64 {
        guard let started, started != stageStartedAt else { return now }
        let moment = now - started.duration(to: wallClock).inNanoseconds
        let floor = lastEdge ?? earliest
        return (floor...max(floor, now)).contains(moment) ? moment : now
    }
}
