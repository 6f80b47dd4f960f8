internal import Measurement

/// Readings by metric: a bit for each metric that was asked for, values and reasons in the order of a file.
///
/// A dictionary would do the same for ten times the memory, and a large profile has hundreds of thousands of these.
struct ReadingRow: Equatable, Sendable {
    /// The metrics that were asked for.
    private(set) var asked: UInt64 = 0
    /// Those of them that have no value.
    private var missing: UInt64 = 0
    private var values: [Double] = []
    private var reasons: [String] = []

    init() {}

    init(_ readings: [Metric: Reading<Double>]) {
        values.reserveCapacity(readings.count)
        for metric in Metric.allCases {
            if let reading = readings[metric] { self[metric] = reading }
        }
    }

    /// The reading of a metric, nil when it was not asked for.
    subscript(metric: Metric) -> Reading<Double>? {
        get {
            let bit = metric.bit
            if asked & bit == 0 { return nil }
            return missing & bit == 0
                ? .value(values[place(of: bit, in: asked & ~missing)])
                : .unavailable(reason: reasons[place(of: bit, in: missing)])
        }
        set {
            let bit = metric.bit
            let valued = asked & ~missing
            if valued & bit != 0 { values.remove(at: place(of: bit, in: valued)) }
            if missing & bit != 0 { reasons.remove(at: place(of: bit, in: missing)) }
            asked &= ~bit
            missing &= ~bit
            switch newValue {
            case .value(let value)?: values.insert(value, at: place(of: bit, in: valued & ~bit))
            case .unavailable(let reason)?:
                reasons.insert(reason, at: place(of: bit, in: missing))
                missing |= bit
            case nil: return
            }
            asked |= bit
        }
    }

    /// The metrics that were asked for, in the order of a file.
    var metrics: [Metric] { ReadingRow.metrics(in: asked) }

    /// The metrics of a set of bits.
    static func metrics(in bits: UInt64) -> [Metric] { Metric.allCases.filter { bits & $0.bit != 0 } }

    /// How many bits of a set stand below one.
    private func place(of bit: UInt64, in bits: UInt64) -> Int { (bits & (bit - 1)).nonzeroBitCount }
}

extension Metric {
    fileprivate var bit: UInt64 { 1 << UInt64(place) }
}
