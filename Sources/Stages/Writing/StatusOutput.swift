internal import LinuxSystem
internal import Measurement

/// The status file and the event trace, and the state behind them.
struct StatusOutput {
    private let location: StatusLocation
    private let onProblem: @Sendable (String) -> Void
    private var status = StatusText(pid: CurrentProcess.pid, startedAt: SystemClock.now)
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

    /// Takes in a begin or an end by the calling thread.
    mutating func add(_ kind: StageEvent.Kind, _ stage: StageName, episode: EpisodePosition?) {
        let moment = StageMoment.now()
        let event = StageEvent(
            kind, stage, episode: episode, threadID: moment.threadID, processID: CurrentProcess.pid,
            at: moment.monotonicNanoseconds, processCPUNanoseconds: moment.processCPU.inNanoseconds)
        guard status.apply(event, at: moment) else { return }
        write([event], at: moment)
    }

    /// Ends what is open, and says that the last stage is over.
    mutating func finish() {
        let moment = StageMoment.now()
        let done = StageEvent(
            .begin, .done, threadID: moment.threadID, processID: CurrentProcess.pid,
            at: moment.monotonicNanoseconds, processCPUNanoseconds: moment.processCPU.inNanoseconds)
        let events = status.endings(at: moment) + [done]
        for event in events { _ = status.apply(event, at: moment) }
        write(events, at: moment, isFinal: true)
    }

    private mutating func write(_ events: [StageEvent], at moment: StageMoment, isFinal: Bool = false) {
        do throws(SystemError) {
            for event in events {
                try trace?.append(
                    event.traceLine(
                        timestamp: moment.timestamp, threadCPUNanoseconds: moment.threadCPU.inNanoseconds))
            }
            try Files.replace(location.statusFile, with: status.text(isFinal: isFinal))
        } catch {
            report(error)
        }
    }

    /// A failure to write must not disturb the pipeline: it is reported once, and the run goes on.
    private mutating func report(_ error: SystemError) {
        if !hasReportedProblem { onProblem("The stage status is not being recorded. \(error)") }
        hasReportedProblem = true
    }
}

/// One moment by every clock that a pipeline's own record holds.
struct StageMoment {
    var monotonicNanoseconds: Int64
    var timestamp: Timestamp
    /// CPU time of this process, all threads, and of the children it has waited for.
    var processCPU: Duration
    var threadCPU: Duration
    var threadID: Int32

    static func now() -> StageMoment {
        StageMoment(
            monotonicNanoseconds: SystemClock.monotonicNanoseconds, timestamp: SystemClock.now,
            processCPU: SystemClock.processCPU + SystemClock.waitedChildrenCPU,
            threadCPU: SystemClock.threadCPU, threadID: CurrentProcess.threadID)
    }
}

/// The append-only record of every event. Several processes may append to one.
final class EventTrace: Sendable {
    private let file: FileDescriptor

    init(path: String) throws(SystemError) {
        file = try FileDescriptor.open(path, .append, followingLinks: false)
    }

    func append(_ line: String) throws(SystemError) {
        try file.write(Array(line.utf8))
    }
}
