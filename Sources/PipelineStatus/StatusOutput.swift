internal import JSONDocument
internal import LinuxSystem
internal import Measurement

/// The status file and the event trace, and the account behind them.
struct StatusOutput {
    private let location: StatusLocation
    private let onProblem: @Sendable (String) -> Void
    private let startedAt = SystemClock.now
    private var account = StageAccount()
    private var trace: EventTrace?
    private var hasReportedProblem = false

    init(location: StatusLocation, onProblem: @escaping @Sendable (String) -> Void) {
        self.location = location
        self.onProblem = onProblem
        do throws(SystemError) {
            try Files.createDirectories(Files.directory(of: location.statusFile))
            trace = try EventTrace(path: location.eventTrace)
        } catch {
            report(error)
        }
    }

    mutating func begin(_ stage: StageName, episode: EpisodePosition?) {
        let edge = StageEdge.now()
        account.begin(stage, episode: episode, at: edge)
        write("begin", stage, episode: episode, at: edge)
    }

    mutating func end(_ stage: StageName, episode: EpisodePosition?) {
        let edge = StageEdge.now()
        guard account.end(stage, at: edge) else { return }
        write("end", stage, episode: episode, at: edge)
    }

    mutating func finish() {
        let edge = StageEdge.now()
        account.begin(.done, episode: nil, at: edge)
        write("begin", .done, episode: nil, at: edge)
    }

    private mutating func write(
        _ event: String, _ stage: StageName, episode: EpisodePosition?, at edge: StageEdge
    ) {
        do throws(SystemError) {
            try trace?.append(event, stage, episode: episode, at: edge)
            try Files.replace(
                location.statusFile, with: account.statusText(pid: CurrentProcess.pid, startedAt: startedAt))
        } catch {
            report(error)
        }
    }

    /// A failure to write must not disturb the pipeline: it is told once, and the run goes on.
    private mutating func report(_ error: SystemError) {
        if !hasReportedProblem { onProblem("The stage status is not being recorded. \(error)") }
        hasReportedProblem = true
    }
}

/// One moment at which a stage begins or ends, by every clock that matters.
struct StageEdge {
    var monotonicNanoseconds: Int64
    var timestamp: Timestamp
    /// CPU time of this process, all threads, and of the children it has waited for.
    var processCPU: Duration
    var threadCPU: Duration
    var threadID: Int32

    static func now() -> StageEdge {
        StageEdge(
            monotonicNanoseconds: SystemClock.monotonicNanoseconds, timestamp: SystemClock.now,
            processCPU: SystemClock.processCPU + SystemClock.waitedChildrenCPU,
            threadCPU: SystemClock.threadCPU, threadID: CurrentProcess.threadID)
    }
}

/// The append-only record of every begin and end.
private final class EventTrace: Sendable {
    private let file: FileDescriptor

    init(path: String) throws(SystemError) {
        file = try FileDescriptor.open(path, .append, followingLinks: false)
    }

    func append(
        _ event: String, _ stage: StageName, episode: EpisodePosition?, at edge: StageEdge
    ) throws(SystemError) {
        var line = "{\"event\":\"\(event)\",\"stage\":\(stage.text.asJSON)"
        if let episode { line += ",\"episode\":\(episode.index)" }
        line += ",\"tid\":\(edge.threadID),\"monotonic_ns\":\(edge.monotonicNanoseconds)"
        line += ",\"epoch_s\":\(edge.timestamp.secondsSinceEpoch.fixed(6))"
        line += ",\"process_cpu_ns\":\(edge.processCPU.inNanoseconds)"
        line += ",\"thread_cpu_ns\":\(edge.threadCPU.inNanoseconds)}\n"
        try file.write(Array(line.utf8))
    }
}
