public import Measurement

/// What is measured of a stage and of a whole run.
public enum Metric: String, CaseIterable, Sendable {
    /// Elapsed time, in seconds.
    case wall = "wall_time_s"
    /// CPU time of the process and its children, in seconds.
    case cpu = "cpu_time_s"
    /// The largest resident set, in mebibytes.
    case peakResident = "peak_rss_mb"
    /// CPU time by elapsed time, in percent of one CPU.
    case averageCPU = "avg_cpu_pct"

    /// The key in a run's raw values; the raw value of the case is the key in a summary.
    public var runKey: String {
        switch self {
        case .wall: "wall_s"
        case .cpu: "cpu_s"
        case .peakResident, .averageCPU: rawValue
        }
    }

    /// The name in a table's column.
    public var title: String {
        switch self {
        case .wall: "wall s"
        case .cpu: "CPU s"
        case .peakResident: "peak RSS MB"
        case .averageCPU: "avg CPU %"
        }
    }

    /// The decimals with which the value is frozen.
    public var decimals: Int {
        switch self {
        case .wall, .cpu: 6
        case .peakResident: 3
        case .averageCPU: 2
        }
    }
}

/// What a stage or a whole run used.
public struct ResourceUse: Equatable, Sendable {
    /// Elapsed time, in seconds.
    public var wallSeconds: Reading<Double>
    /// CPU time of the process and its children, in seconds.
    public var cpuSeconds: Reading<Double>
    /// The largest resident set, in mebibytes.
    public var peakResidentMB: Reading<Double>
    /// CPU time by elapsed time, in percent of one CPU.
    public var averageCPUPercent: Reading<Double>

    /// Readings of each metric.
    public init(
        wallSeconds: Reading<Double>, cpuSeconds: Reading<Double>, peakResidentMB: Reading<Double>,
        averageCPUPercent: Reading<Double>
    ) {
        self.wallSeconds = wallSeconds
        self.cpuSeconds = cpuSeconds
        self.peakResidentMB = peakResidentMB
        self.averageCPUPercent = averageCPUPercent
    }

    /// Nothing measured, for one reason.
    public static func unavailable(_ reason: String) -> ResourceUse {
        let nothing = Reading<Double>.unavailable(reason: reason)
        return ResourceUse(
            wallSeconds: nothing, cpuSeconds: nothing, peakResidentMB: nothing, averageCPUPercent: nothing)
    }

    /// The reading of a metric.
    public subscript(metric: Metric) -> Reading<Double> {
        get {
            switch metric {
            case .wall: wallSeconds
            case .cpu: cpuSeconds
            case .peakResident: peakResidentMB
            case .averageCPU: averageCPUPercent
            }
        }
        set {
            switch metric {
            case .wall: wallSeconds = newValue
            case .cpu: cpuSeconds = newValue
            case .peakResident: peakResidentMB = newValue
            case .averageCPU: averageCPUPercent = newValue
            }
        }
    }
}
