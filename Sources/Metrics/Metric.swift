/// What is measured of a stage and of a whole run.
///
/// A new metric is a case here with its entry in ``catalogue``, and the meter that reads it. Records, profiles,
/// comparisons, tables, logs and reports take all they need to know from the entry.
public enum Metric: String, CaseIterable, Sendable {
    case wall = "wall_time_s"
    case cpu = "cpu_time_s"
    case peakResident = "peak_rss_mb"
    case averageCPU = "avg_cpu_pct"
    case proportionalResident = "pss_mb"
    case diskRead = "disk_read_bytes"
    case diskWritten = "disk_written_bytes"
    case majorFaults = "major_faults"
    case voluntarySwitches = "voluntary_switches"
    case involuntarySwitches = "involuntary_switches"
    case runQueueWait = "run_queue_wait_s"
    case instructions
    case minorFaults = "minor_faults"
    case systemCalls = "system_calls"

    /// What every profile has had from the start: the columns of a table that has room for few.
    public static let primary: [Metric] = [.wall, .cpu, .peakResident, .averageCPU]

    /// What a comparison judges: the metrics that a verdict may rest on.
    public static let judged = allCases.filter(\.definition.isJudged)

    /// What is known of the metric.
    public var definition: MetricDefinition { Metric.catalogue[place] }

    /// The key in a summary.
    public var key: String { rawValue }
    /// The key in a run's raw values.
    public var runKey: String { definition.runKey ?? rawValue }
    /// The name in a table's column, with its unit.
    public var title: String { definition.title }
    /// The name in a narrow column, with its unit.
    public var shortTitle: String { definition.shortTitle ?? title }
    /// The name inside a sentence.
    public var words: String { definition.words ?? title }
    public var unit: MetricUnit { definition.unit }
    /// The decimals with which the value is frozen.
    public var decimals: Int { definition.decimals ?? unit.decimals }
    /// How the value came about, and so what may be expected of another run.
    public var valueClass: ValueClass { definition.valueClass }
    /// Whether it is an amount of memory, in mebibytes.
    public var isMemory: Bool { unit == .mebibytes }

    /// The place in the order of a file.
    var place: Int {
        // The catalogue has an entry for each case, in the same order; a test holds it to that.
        Metric.places[self] ?? 0
    }

    private static let places = Dictionary(uniqueKeysWithValues: zip(allCases, 0...))
}

extension Metric: Comparable {
    /// The order of a file.
    public static func < (left: Metric, right: Metric) -> Bool { left.place < right.place }
}

/// What is known of a metric: all that distinguishes it from others.
public struct MetricDefinition: Sendable {
    public let metric: Metric
    public let unit: MetricUnit
    /// The name in a table's column, with its unit.
    public let title: String
    /// The name in a narrow column; nil where the title is short enough.
    public var shortTitle: String?
    /// The name inside a sentence; nil where the title will do.
    public var words: String?
    /// The key in a run's raw values; nil for that of a summary.
    public var runKey: String?
    /// The decimals with which the value is frozen; nil for those of the unit.
    public var decimals: Int?
    public var aggregation = MetricAggregation.sum
    public var valueClass = ValueClass.noisy
    /// Whether a comparison judges it.
    public var isJudged = false
    /// Whether stages leave it out where the machine cannot measure it at all: the reason stands once, in the totals.
    public var isOptional = false
}

/// What a metric's values count.
public enum MetricUnit: String, Sendable {
    case seconds, mebibytes, bytes, percent, count

    /// The decimals with which values are frozen.
    public var decimals: Int {
        switch self {
        case .seconds: 6
        case .mebibytes: 3
        case .percent: 2
        case .bytes, .count: 0
        }
    }
}

/// How the values of a stage's spans, and of a run's processes, become one.
public enum MetricAggregation: String, Sendable {
    /// What each has used is added up.
    case sum
    /// The time during which at least one span was open.
    case union
    /// The largest at any moment.
    case maximum
    /// Computed from other metrics.
    case ratio
}

/// How a value came about.
public enum ValueClass: String, Sendable {
    /// The same work gives the same number, on any machine.
    case exact
    /// Counted by an engine that repeats: the same program on the same input gives nearly the same number.
    case counted
    /// Measured: another run of the same work gives another value.
    case noisy
    /// Computed from other values of the same file.
    case derived
}

extension Metric {
    /// All metrics, in the order of a file.
    static let catalogue: [MetricDefinition] = [
        // Elapsed time.
        .init(
            metric: .wall, unit: .seconds, title: "wall s", words: "wall time", runKey: "wall_s",
            aggregation: .union, isJudged: true),
        // CPU time of the process and its children.
        .init(
            metric: .cpu, unit: .seconds, title: "CPU s", words: "CPU time", runKey: "cpu_s", isJudged: true),
        // The largest resident set.
        .init(
            metric: .peakResident, unit: .mebibytes, title: "peak RSS MB", shortTitle: "RSS MB",
            words: "peak memory", aggregation: .maximum, isJudged: true),
        // CPU time by elapsed time, in percent of one CPU.
        .init(
            metric: .averageCPU, unit: .percent, title: "avg CPU %", shortTitle: "CPU %",
            aggregation: .ratio, valueClass: .derived),
        // The largest proportional share of resident memory: pages that processes share count once.
        .init(metric: .proportionalResident, unit: .mebibytes, title: "PSS MB", aggregation: .maximum),
        // Fetched from storage; what the page cache had is not in it.
        .init(metric: .diskRead, unit: .bytes, title: "read bytes"),
        // Sent to storage.
        .init(metric: .diskWritten, unit: .bytes, title: "written B"),
        // Page faults that had to wait for storage.
        .init(metric: .majorFaults, unit: .count, title: "maj faults"),
        // How often a thread gave up its CPU to wait for something.
        .init(metric: .voluntarySwitches, unit: .count, title: "vol. sw."),
        // How often a thread was made to give up its CPU: others wanted it.
        .init(metric: .involuntarySwitches, unit: .count, title: "invol. sw."),
        // Time for which threads were ready to run and had no CPU.
        .init(metric: .runQueueWait, unit: .seconds, title: "queue s"),
        // Instructions the CPU retired in user mode, by its own counter.
        .init(metric: .instructions, unit: .count, title: "instr.", isOptional: true),
        // Page faults that memory alone could serve: pages touched for the first time since they were given out.
        .init(metric: .minorFaults, unit: .count, title: "min faults"),
        // Requests to the kernel, as counted runs see them. The monitor does not read them.
        .init(
            metric: .systemCalls, unit: .count, title: "sys. calls", words: "system calls",
            valueClass: .counted,
            isOptional: true),
    ]
}
