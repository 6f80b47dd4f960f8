public import LiveMonitor
public import Measurement

/// One run over several nodes, made of what its tasks left: an account as of a run on one machine, and beside it what each
/// node had of it.
public struct JobRun: Equatable, Sendable {
    /// What one node had of the run.
    public struct Node: Equatable, Sendable {
        public var name: String
        public var host: String
        public var tasks: Int
        public var cpu: Reading<Duration>
        /// The most memory at one moment, all its tasks together.
        public var peakResident: Reading<ByteCount>
        public var peakMethod: MonitorReport.PeakMethod?
        /// By how much its monotonic clock is ahead of ours; nil where it is not known.
        public var clockAhead: Duration?
        /// By how much that may be off; nil where no exchange was possible.
        public var clockBound: Duration?
        /// By how much its wall clock is ahead of ours; nil where that is not known.
        public var wallClockAhead: Duration?
    }

    /// Stages, totals and transitions of all tasks, on our clock.
    public var report: MonitorReport
    /// In order of their names.
    public var nodes: [Node]
    public var tasks: [TaskRecord]
    /// By how much stages that span nodes may be off at most; nil where clocks could only be compared by their wall clocks.
    public var clockBound: Duration?
    /// What a reader should know, in whole sentences. They are among the report's notes as well.
    public var notes: [String]
}

extension JobRun {
    /// CPU time of all tasks, without that of the command that started them.
    public var taskCPU: Reading<Duration> {
        tasks.map { $0.report.flatMap(\.totals.cpu) }.reduce(.value(.zero)) { sum, next in
            sum.flatMap { sum in next.map { sum + $0 } }
        }
    }

    /// What the command that started the tasks saw of the run, on this machine.
    public struct Own: Sendable {
        public var report: MonitorReport
        public var header: TaskHeader
        /// From the run's start to its end, by our monotonic clock.
        public var span: Range<Int64>

        /// What was seen here.
        public init(report: MonitorReport, header: TaskHeader, span: Range<Int64>) {
            self.report = report
            self.header = header
            self.span = span
        }
    }

    /// The run; nil where there is neither an account of a task nor one of our own.
    ///
    /// - Parameters:
    ///   - clocks: By ``NodeMoment/clock``.
    ///   - wallClock: Our wall clock less our monotonic one, in nanoseconds: for nodes whose clock was not read.
    public init?(
        name: String, own: Own?, tasks: [TaskRecord], clocks: [String: NodeClock], wallClock: Int64,
        notes: [String] = []
    ) {
        guard
            let merger = JobMerger(
                name: name, own: own, tasks: tasks, clocks: clocks, wallClock: wallClock)
        else { return nil }
        self = merger.run(notes)
    }
}
