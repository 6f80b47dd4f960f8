/// What is measured of a stage and of a whole run.
///
/// A later version may measure more: code that shows metrics names those it knows, or takes them from
/// ``ResourceUse/metrics``.
public enum Metric: String, CaseIterable, Sendable {
    /// Elapsed time, in seconds.
    case wall = "wall_time_s"
    /// CPU time of the process and its children, in seconds.
    case cpu = "cpu_time_s"
    /// The largest resident set, in mebibytes.
    case peakResident = "peak_rss_mb"
    /// CPU time by elapsed time, in percent of one CPU.
    case averageCPU = "avg_cpu_pct"
    /// The largest proportional share of resident memory, in mebibytes: pages that processes share count once.
    case proportionalResident = "pss_mb"
    /// Bytes fetched from storage; what the page cache had is not in it.
    case diskRead = "disk_read_bytes"
    /// Bytes sent to storage.
    case diskWritten = "disk_written_bytes"
    /// Page faults that had to wait for storage.
    case majorFaults = "major_faults"
    /// How often a thread gave up its CPU to wait for something.
    case voluntarySwitches = "voluntary_switches"
    /// How often a thread was made to give up its CPU: others wanted it.
    case involuntarySwitches = "involuntary_switches"
    /// Time for which threads were ready to run and had no CPU, in seconds.
    case runQueueWait = "run_queue_wait_s"
    /// Instructions the CPU retired in user mode, by its own counter.
    case instructions

    /// What every profile has had from the start: the columns of a table that has room for few.
    public static let primary: [Metric] = [.wall, .cpu, .peakResident, .averageCPU]

    /// The key in a run's raw values; the raw value of the case is the key in a summary.
    public var runKey: String {
        switch self {
        case .wall: "wall_s"
        case .cpu: "cpu_s"
        default: rawValue
        }
    }

    /// The name in a table's column.
    public var title: String {
        switch self {
        case .wall: "wall s"
        case .cpu: "CPU s"
        case .peakResident: "peak RSS MB"
        case .averageCPU: "avg CPU %"
        case .proportionalResident: "PSS MB"
        case .diskRead: "read bytes"
        case .diskWritten: "written B"
        case .majorFaults: "maj faults"
        case .voluntarySwitches: "vol. sw."
        case .involuntarySwitches: "invol. sw."
        case .runQueueWait: "queue s"
        case .instructions: "instr."
        }
    }

    /// The decimals with which the value is frozen.
    public var decimals: Int {
        switch self {
        case .wall, .cpu, .runQueueWait: 6
        case .peakResident, .proportionalResident: 3
        case .averageCPU: 2
        case .diskRead, .diskWritten, .majorFaults, .voluntarySwitches, .involuntarySwitches, .instructions: 0
        }
    }

    /// How the value came about, and so what may be expected of another run.
    public var valueClass: ValueClass { self == .averageCPU ? .derived : .noisy }
}

extension Metric: Comparable {
    /// The order of a file.
    public static func < (left: Metric, right: Metric) -> Bool { left.place < right.place }

    private var place: Int { Metric.allCases.firstIndex(of: self) ?? 0 }
}

/// How a value came about.
public enum ValueClass: String, Sendable {
    /// Counted: the same work gives the same number.
    case exact
    /// Measured: another run of the same work gives another value.
    case noisy
    /// Computed from other values of the same file.
    case derived
}
