public import LinuxProcess
public import Measurement
public import Metrics
public import Stages

/// What the monitor found out about a run.
public struct MonitorReport: Equatable, Sendable {
    /// Where a stage's edges come from.
    public typealias Source = StageSource

    /// How a peak of memory was found.
    public enum PeakMethod: String, Sendable {
        /// The kernel's own mark: exact.
        case highWaterMark = "high-water mark"
        /// The most that was seen at a tick: a lower bound. For several processes the largest sum.
        case sampled
        /// A lower bound: processes ended in the stage whose peaks the kernel did not report.
        case atLeast = "at least"
        /// An upper bound: the sum of the peaks of tasks that were at work on one node at the same time.
        case atMost = "at most"
    }

    /// One stage, all its spans together.
    public struct Stage: Equatable, Sendable {
        public var name: StageName
        /// How often it was begun.
        public var entered: Int
        /// Time during which at least one span was open.
        public var wall: Reading<Duration>
        /// The sum of the spans' durations: more than `wall` where they overlapped.
        public var work: Reading<Duration>
        /// CPU time of the pipeline and all its descendants between the stage's edges.
        public var cpu: Reading<Duration>
        /// The most memory that was resident while it was open.
        public var peakResident: Reading<ByteCount>
        public var peakMethod: PeakMethod?
        /// `cpu` by `wall`, in percent of one core.
        public var averageCPUPercent: Reading<Double>
        /// Whether another stage was open at the same time, so that its CPU time and memory are shared with that one.
        public var isShared: Bool
        public var source: Source
        /// What the pipeline and its descendants used between its edges besides time and peak memory.
        ///
        /// Differences between what was read at the edges; a stage that was over before they could be read has none, and
        /// what it used is among its neighbours'. Context switches and run-queue wait are what was seen: threads and
        /// processes take with them, when they end, what they did since the last look.
        public var usage: MetricReadings
    }

    /// One begin or end.
    public struct Transition: Equatable, Sendable {
        public var stage: StageName
        /// CLOCK_MONOTONIC in nanoseconds.
        public var monotonicNanoseconds: Int64
        public var isBegin: Bool
        /// The node that it happened on; nil for a run on one machine.
        public var node: String?
    }

    /// The most transitions that a report holds.
    public static let maximumTransitions = StageLedger.maximumTransitions

    /// The whole run.
    public struct Totals: Equatable, Sendable {
        /// From the moment the target was first watched to its end.
        public var wall: Reading<Duration>
        public var cpu: Reading<Duration>
        public var peakResident: Reading<ByteCount>
        public var peakMethod: PeakMethod?
        public var averageCPUPercent: Reading<Double>
        /// What else was used: what the kernel reported to the process that waited for the pipeline, where it does.
        public var usage: MetricReadings
    }

    /// What became of the log.
    public struct Log: Equatable, Sendable {
        public var path: String
        public var lines: Int
        public var bytes: Int64
        /// Lines that could not be written.
        public var lost: Int
    }

    public static let schemaVersion = 1

    public var name: String
    public var targetPID: Int32
    /// In order of first entry.
    public var stages: [Stage]
    /// In the order they were reported, at most 100,000.
    public var transitions: [Transition]
    /// Further transitions, which are counted in the stages all the same.
    public var droppedTransitions: Int
    public var totals: Totals
    /// Time before the first stage, between stages and after the last.
    public var unattributed: Reading<Duration>
    public var ticks: Int
    /// Nil when no log was wanted.
    public var log: Log?
    /// The status file that the pipeline wrote; nil when it named no stage.
    public var statusFile: String?
    public var exit: Reading<ExitStatus>
    /// The highest episode the pipeline reported, nil when it reported none.
    public var highestEpisode: Int?
    /// The stage or stages that were open when the run ended.
    public var lastStages: [StageName]
    /// CPU time the monitor itself has used.
    public var monitorCPU: Duration
    /// The most memory the monitor itself had resident.
    public var monitorPeakResident: Reading<ByteCount>
    /// What a reader of the numbers should know, in whole sentences.
    public var notes: [String]
    /// Those of the notes that are about the stages: why there is none, or how far they can be trusted.
    public var stageNotes: [String] = []
}
