internal import FrozenProfile
internal import JobRuns
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import SlurmEngine

/// A run whose tasks were at work on other nodes: what they left, joined with what was seen here.
enum SpannedRun {
    /// The run with its tasks; nil where it had none.
    static func join(
        _ finished: TargetRun.Finished, _ report: MonitorReport
    ) throws(CaptureError) -> JobRun? {
        let directory = finished.directory.tasks
        guard Files.isDirectory(directory) else { return nil }
        let tasks: [TaskRecord]
        var notes: [String]
        do throws(SystemError) {
            (tasks, notes) = try TaskDirectory.load(directory)
        } catch {
            throw .measurementFailed("The tasks of the \(finished.name) run cannot be read. \(error)")
        }
        guard !tasks.isEmpty else { return nil }
        var clocks = JobClocks(program: [CurrentProcess.executable, "monitor", "--clock"])
        // An allocation that we are in ourselves is still there; one that the command had is gone.
        let own = CurrentProcess.environmentVariable("SLURM_JOB_ID").flatMap { Int($0) }
        clocks.ask(
            tasks.map(\.header).filter { own != nil && $0.allocation == own }, isRunning: true)
        clocks.ask(
            tasks.map(\.header).filter { own == nil || $0.allocation != own }, isRunning: false)
        notes += clocks.sentences
        if case .value(let accounts) = SlurmTools.steps(ofJobs: Set(tasks.map(\.header.job)).sorted()) {
            notes += StepComparison.of(tasks, accounts).map(\.sentence)
        }
        let span =
            finished
            .startedMonotonicNanoseconds..<max(
                finished.startedMonotonicNanoseconds, finished.endedMonotonicNanoseconds)
        return JobRun(
            name: report.name,
            own: JobRun.Own(report: report, header: TaskHeader.here(program: report.name), span: span),
            tasks: tasks, clocks: clocks.clocks, wallClock: JobClocks.wallClock, notes: notes)
    }
}

extension RunRecord.Node {
    init(_ node: JobRun.Node) {
        self.init(
            name: node.name, host: node.host, tasks: node.tasks, cpuSeconds: node.cpu.map(\.inSeconds),
            peakResidentMB: node.peakResident.map(\.mebibytes), peakMethod: node.peakMethod?.rawValue,
            clockAheadSeconds: node.clockAhead.map { .value($0.inSeconds) }
                ?? .unavailable(reason: "its clock was not asked"),
            clockBoundSeconds: node.clockBound.map { .value($0.inSeconds) }
                ?? .unavailable(reason: "its moments are placed by its wall clock"))
    }
}
