public import Measurement

/// What went on around one run, from its start to its end.
public enum RunEnvironmentKey: String, CaseIterable, Sendable {
    /// CPU time that the hypervisor gave to others, in percent of what there was.
    case steal = "steal_pct"
    /// CPU time of processes outside the run and the tool, in seconds.
    case othersCPU = "others_cpu_s"
    /// The same in percent of the CPU time that there was.
    case othersShare = "others_cpu_pct"
    /// Time during which some task of the machine, the run's own included, waited for a CPU, memory or a disk, in
    /// seconds.
    case stalledCPU = "stalled_cpu_s"
    case stalledMemory = "stalled_memory_s"
    case stalledIO = "stalled_io_s"
    /// How often a CPU was slowed down because of heat.
    case thermalThrottles = "thermal_throttles"
    /// Time during which a quota held the control group back, in seconds.
    case quotaThrottled = "quota_throttled_s"

    /// The decimals with which the value is frozen.
    var decimals: Int {
        switch self {
        case .othersCPU, .stalledCPU, .stalledMemory, .stalledIO, .quotaThrottled: 6
        case .steal, .othersShare: 2
        case .thermalThrottles: 0
        }
    }
}

/// The machine during a run: of what the kernel counts, how much that grew; of what it reports for the moment alone, the
/// range over the run.
public struct RunEnvironment: Equatable, Sendable {
    public var values: [RunEnvironmentKey: Reading<Double>]
    /// Of ``ObservedKey/states``; one that was not asked for has none.
    public var ranges: [ObservedKey: Reading<ObservedRange>]

    /// Readings by key.
    public init(
        _ values: [RunEnvironmentKey: Reading<Double>] = [:],
        ranges: [ObservedKey: Reading<ObservedRange>] = [:]
    ) {
        self.values = values
        self.ranges = ranges
    }

    /// The reading of a key.
    public subscript(key: RunEnvironmentKey) -> Reading<Double> {
        get { values[key] ?? .unavailable(reason: "not recorded") }
        set { values[key] = newValue }
    }

    /// What two snapshots say of the time between them. Pure.
    ///
    /// The second is to be taken after the run and the processes that helped to measure it have been waited for: only then
    /// does the kernel count their CPU time as this process's.
    ///
    /// - Parameter looks: What was seen in between.
    public init(
        before: EnvironmentSnapshot, looks: [ObservedEnvironment] = [], after: EnvironmentSnapshot
    ) {
        func growth(_ counter: EnvironmentCounter) -> Reading<Double> {
            after.growth(of: counter, since: before)
        }
        let others = RunEnvironment.others(busy: growth(.busyCPU), own: growth(.ownCPU))
        self.init(
            [
                .steal: RunEnvironment.percent(growth(.stolenCPU), of: growth(.allCPU)),
                .othersCPU: others,
                .othersShare: RunEnvironment.percent(others, of: growth(.allCPU)),
                .stalledCPU: growth(.stalledCPU), .stalledMemory: growth(.stalledMemory),
                .stalledIO: growth(.stalledIO), .thermalThrottles: growth(.thermalThrottles),
                .quotaThrottled: growth(.quotaThrottled),
            ],
            ranges: ObservedKey.ranges(before: before.observed, during: looks, after: after.observed))
    }

    /// The kernel counts the machine's CPU time in ticks of 10 ms, so a little may seem to be missing.
    private static func others(busy: Reading<Double>, own: Reading<Double>) -> Reading<Double> {
        guard let all = busy.value else { return busy }
        guard let ours = own.value else { return own }
        return .value(max(0, all - ours))
    }

    private static func percent(_ part: Reading<Double>, of whole: Reading<Double>) -> Reading<Double> {
        guard let numerator = part.value else { return part }
        guard let denominator = whole.value else { return whole }
        guard denominator > 0 else {
            return .unavailable(reason: "the run was shorter than the kernel's tick")
        }
        return .value(min(100, 100 * numerator / denominator))
    }
}
