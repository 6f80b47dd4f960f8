public import Measurement

/// What a stage or a whole run used.
public struct ResourceUse: Equatable, Sendable {
    /// The readings, those of ``Metric/primary`` always among them.
    private var row: ReadingRow

    /// Readings by metric; of the primary metrics that are left out it is said that they were not recorded.
    public init(_ readings: [Metric: Reading<Double>] = [:]) {
        row = ReadingRow(readings)
        for metric in Metric.primary where row[metric] == nil { row[metric] = ResourceUse.notRecorded }
    }

    /// Readings of the primary metrics.
    public init(
        wallSeconds: Reading<Double>, cpuSeconds: Reading<Double>, peakResidentMB: Reading<Double>,
        averageCPUPercent: Reading<Double>
    ) {
        row = ReadingRow([
            .wall: wallSeconds, .cpu: cpuSeconds, .peakResident: peakResidentMB,
            .averageCPU: averageCPUPercent,
        ])
    }

    /// Nothing measured, for one reason.
    public static func unavailable(_ reason: String) -> ResourceUse {
        let nothing = Reading<Double>.unavailable(reason: reason)
        return ResourceUse(
            wallSeconds: nothing, cpuSeconds: nothing, peakResidentMB: nothing, averageCPUPercent: nothing)
    }

    /// The metrics that were asked for, in the order of a file, whether or not there are values.
    public var metrics: [Metric] { row.metrics }

    /// The metrics that any of some uses was asked for, in the order of a file.
    public static func metrics(ofAny uses: some Sequence<ResourceUse>) -> [Metric] {
        ReadingRow.metrics(in: uses.reduce(0) { $0 | $1.row.asked })
    }

    /// The reading of a metric; nil when it was not asked for.
    public func asked(_ metric: Metric) -> Reading<Double>? { row[metric] }

    /// The reading of a metric; one that was not asked for is unavailable.
    public subscript(metric: Metric) -> Reading<Double> {
        get { row[metric] ?? ResourceUse.notRecorded }
        set { row[metric] = newValue }
    }

    /// Elapsed time, in seconds.
    public var wallSeconds: Reading<Double> {
        get { self[.wall] }
        set { self[.wall] = newValue }
    }
    /// CPU time of the process and its children, in seconds.
    public var cpuSeconds: Reading<Double> {
        get { self[.cpu] }
        set { self[.cpu] = newValue }
    }
    /// The largest resident set, in mebibytes.
    public var peakResidentMB: Reading<Double> {
        get { self[.peakResident] }
        set { self[.peakResident] = newValue }
    }
    /// CPU time by elapsed time, in percent of one CPU.
    public var averageCPUPercent: Reading<Double> {
        get { self[.averageCPU] }
        set { self[.averageCPU] = newValue }
    }

    /// Adds readings, in place of those of the same metrics.
    public mutating func add(_ others: MetricReadings) {
        for metric in others.metrics { row[metric] = others[metric] }
    }

    private static let notRecorded = Reading<Double>.unavailable(reason: "not recorded")
}
