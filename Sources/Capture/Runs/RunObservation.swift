internal import FrozenProfile
internal import JobRuns
internal import LinuxProcess
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import StackRecording
internal import Stages

/// One run with the monitor beside it.
struct RunObservation {
    /// The run, and what the monitor made of it.
    struct Observed: Sendable {
        var run: TargetRun.Finished
        var report: MonitorReport
        var logFile: String
        /// The run with the tasks that it had on other nodes; nil for a run on this machine. The report is that of the whole.
        var job: JobRun?
    }

    let run: TargetRun
    let pipelineName: String
    let interval: Duration
    /// Whether the panel may be drawn and progress lines printed.
    let isVisible: Bool

    /// Runs the command to its end under the monitor.
    ///
    /// - Parameters:
    ///   - signals: Requests to end.
    ///   - beforeStart: Called with the process before it has run anything.
    ///   - whileRunning: Called from time to time with the process and the program it runs.
    func perform(
        signals: borrowing SignalInbox,
        beforeStart: (borrowing SuspendedChild) throws(CaptureError) -> Void = { _ in },
        whileRunning: (_ pid: Int32, _ executable: String?) throws(CaptureError) -> Void = { _, _ in }
    ) throws(CaptureError) -> Observed {
        var configuration = MonitorConfiguration(
            name: pipelineName, statusFile: run.directory.pipeline.location.statusFile)
        // The log belongs to the run, wherever the pipeline writes its status.
        configuration.logFile = run.directory.monitorLog
        configuration.interval = interval
        // The archived log is part of the evidence, whatever standard error is.
        configuration.logging = .always
        configuration.panel = isVisible ? .automatic : .never
        configuration.writesPlainLines = isVisible
        if isVisible {
            configuration.flamegraphProgram = MonitorConfiguration.findFlamegraphProgram()
            // The run's own directory is gone when the capture is.
            configuration.flamegraphDirectory = Files.workingDirectory
        }
        let session = try attempt { () throws(MonitorError) in try MonitorSession.start(configuration) }
        let finished = try run.run(signals: signals) { (child) throws(CaptureError) in
            try attempt { () throws(MonitorError) in try session.observe(pid: child.pid) }
            try beforeStart(child)
        } adopting: { news in
            session.adopt(news)
        } whileRunning: { (pid, executable) throws(CaptureError) in
            try whileRunning(pid, executable)
        }
        let report: MonitorReport
        do throws(MonitorError) {
            report = try session.finish(
                outcome: finished.outcome, endedAt: finished.endedMonotonicNanoseconds)
        } catch {
            // The failure of the command is reported rather than that of the monitor: it matters more.
            if let failure = finished.failure {
                throw .targetFailed(
                    FailedRun(
                        run: run.name, reason: failure.reason, isInterruption: failure.isInterruption,
                        lastLines: LastLines.read(run.directory.standardError, count: 10).map {
                            SecretRedaction(run.command).redacted(text: $0)
                        }))
            }
            throw .measurementFailed("The \(run.name) run could not be monitored. \(error)")
        }
        let job = try SpannedRun.join(finished, report)
        return Observed(
            run: finished, report: job?.report ?? report, logFile: configuration.logFile, job: job)
    }

    private func attempt<Result>(_ action: () throws(MonitorError) -> Result) throws(CaptureError) -> Result {
        do throws(MonitorError) {
            return try action()
        } catch {
            throw .measurementFailed("The \(run.name) run could not be monitored. \(error)")
        }
    }
}

extension RunObservation.Observed {
    /// The stages of the run: from the pipeline's event trace where it writes one, else as the monitor saw them.
    var timeline: StageTimeline {
        if let trace, trace.holds(report.stages.map(\.name)) { return trace.timeline }
        let events = report.transitions.map {
            StageEvent($0.isBegin ? .begin : .end, $0.stage, at: $0.monotonicNanoseconds)
        }
        let isCut = report.droppedTransitions > 0
        return StageTimeline(
            events: events, unrecordedFrom: isCut ? events.last?.monotonicNanoseconds : nil)
    }

    /// Processes that only marked stages, and are no part of the pipeline.
    var markers: Set<Int32> { trace?.markers ?? [] }

    private var trace: StageTrace? {
        guard let statusFile = report.statusFile,
            report.stages.contains(where: { $0.source == .eventTrace })
        else { return nil }
        return StageTrace(StatusLocation(statusFile: statusFile).eventTrace)
    }
}
