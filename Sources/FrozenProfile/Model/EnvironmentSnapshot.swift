public import Measurement

/// A count that only grows while the machine is up: the difference of two is what happened in between.
public enum EnvironmentCounter: String, CaseIterable, Sendable {
    /// CPU time that all processes and the kernel used, in seconds.
    case busyCPU
    /// CPU time of this process and of the children it has waited for, in seconds.
    case ownCPU
    /// CPU time that there was, used or not, in seconds.
    case allCPU
    /// CPU time that the hypervisor gave to others, in seconds.
    case stolenCPU
    /// Time during which some task waited for a CPU, memory or a disk, in seconds.
    case stalledCPU
    case stalledMemory
    case stalledIO
    /// How often a CPU was slowed down because of heat.
    case thermalThrottles
    /// Time during which a quota held this control group back, in seconds.
    case quotaThrottled
}

/// The machine at one moment.
public struct EnvironmentSnapshot: Equatable, Sendable {
    /// CLOCK_MONOTONIC in nanoseconds.
    public var monotonicNanoseconds: Int64
    public var observed: ObservedEnvironment
    public var counters: [EnvironmentCounter: Reading<Double>]

    /// A snapshot.
    public init(
        monotonicNanoseconds: Int64, observed: ObservedEnvironment,
        counters: [EnvironmentCounter: Reading<Double>]
    ) {
        self.monotonicNanoseconds = monotonicNanoseconds
        self.observed = observed
        self.counters = counters
    }

    /// How much a counter has grown since an earlier snapshot. One that fell was reset, and says nothing.
    func growth(of counter: EnvironmentCounter, since earlier: EnvironmentSnapshot) -> Reading<Double> {
        let missing = Reading<Double>.unavailable(reason: "not recorded")
        let (before, after) = (earlier.counters[counter] ?? missing, counters[counter] ?? missing)
        guard let first = before.value else { return before }
        guard let last = after.value else { return after }
        guard last >= first else { return .unavailable(reason: "the counter was reset during the run") }
        return .value(last - first)
    }
}
