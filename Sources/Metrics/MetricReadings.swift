public import Measurement

/// Readings by metric, from the meter to the table.
public struct MetricReadings: Equatable, Sendable {
    /// What was asked for, whether or not there are values.
    public private(set) var readings: [Metric: Reading<Double>]

    /// Readings by metric.
    public init(_ readings: [Metric: Reading<Double>] = [:]) {
        self.readings = readings
    }

    /// The metrics that were asked for, in the order of a file.
    public var metrics: [Metric] { Metric.allCases.filter { readings[$0] != nil } }

    /// The reading of a metric; one that was not asked for is unavailable.
    public subscript(metric: Metric) -> Reading<Double> {
        get { readings[metric] ?? .unavailable(reason: "not recorded") }
        set { readings[metric] = newValue }
    }

    /// Leaves out a metric, as if it had not been requested.
    public mutating func remove(_ metric: Metric) { readings[metric] = nil }
}
