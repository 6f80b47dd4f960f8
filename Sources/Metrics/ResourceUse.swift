public import Measurement

/// What a stage or a whole run used.
public struct ResourceUse: Equatable, Sendable {
    /// The readings, those of ``Metric/primary`` always among them.
    public private(set) var readings: [Metric: Reading<Double>]

    /// Readings by metric; of the primary metrics that are left out it is said that they were not recorded.
    public init(_ readings: [Metric: Reading<Double>] = [:]) {
        self.readings = readings
        for metric in Metric.primary where readings[metric] == nil {
            self.readings[metric] = ResourceUse.notRecorded
        }
    }

    /// Readings of the primary metrics.
    public init(
        wallSeconds: Reading<Double>, cpuSeconds: Reading<Double>, peakResidentMB: Reading<Double>,
        averageCPUPercent: Reading<Double>
    ) {
        readings = [
            .wall: wallSeconds, .cpu: cpuSeconds, .peakResident: peakResidentMB,
            .averageCPU: averageCPUPercent,
        ]
    }

    /// Nothing measured, for one reason.
    public static func unavailable(_ reason: String) -> ResourceUse {
        let nothing = Reading<Double>.unavailable(reason: reason)
        return ResourceUse(
            wallSeconds: nothing, cpuSeconds: nothing, peakResidentMB: nothing, averageCPUPercent: nothing)
    }

    /// The metrics that were asked for, in the order of a file, whether or not there are values.
    public var metrics: [Metric] { Metric.allCases.filter { readings[$0] != nil } }

    /// The reading of a metric; one that was not asked for is unavailable.
    public subscript(metric: Metric) -> Reading<Double> {
        get { readings[metric] ?? ResourceUse.notRecorded }
        set { readings[metric] = newValue }
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
        readings.merge(others.readings) { $1 }
    }

    private static let notRecorded = Reading<Double>.unavailable(reason: "not recorded")
}
