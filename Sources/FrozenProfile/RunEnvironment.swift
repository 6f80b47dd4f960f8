public import Measurement

/// What is known of the machine around one run.
public enum RunEnvironmentKey: String, CaseIterable, Sendable {
    /// Processes running or waiting, averaged over a minute, when the run began.
    case loadBefore = "load_1m_before"
    /// The most that was seen, the run's own load included.
    case loadMaximum = "load_1m_max"
    case memoryAvailableMinimum = "memory_available_mb_min"
    case swapUsedMaximum = "swap_used_mb_max"
    /// The least and the most of the CPUs' mean frequency.
    case frequencyMinimum = "cpu_mhz_min"
    case frequencyMaximum = "cpu_mhz_max"
    /// CPU time that the hypervisor gave to others during the run, in percent of what there was.
    case steal = "steal_pct"
    /// CPU time of processes outside the run and the tool, in seconds.
    case othersCPU = "others_cpu_s"
    /// The same in percent of the CPU time that there was.
    case othersShare = "others_cpu_pct"
    /// Time during which some task of the machine waited for a CPU, memory or a disk, in seconds.
    case stalledCPU = "stalled_cpu_s"
    case stalledMemory = "stalled_memory_s"
    case stalledIO = "stalled_io_s"
    /// How often a CPU was slowed down because of heat.
    case thermalThrottles = "thermal_throttles"
    /// Time during which a quota held the control group back, in seconds.
    case quotaThrottled = "quota_throttled_s"
    /// How often the run's processes lost a CPU to another task.
    case involuntarySwitches = "involuntary_switches"
    /// How long the run's threads waited for a CPU, in seconds, together. Threads that had ended before the last
    /// look are not counted.
    case runQueueWait = "run_queue_wait_s"

    /// The decimals with which the value is frozen.
    var decimals: Int {
        switch self {
        case .othersCPU, .stalledCPU, .stalledMemory, .stalledIO, .quotaThrottled, .runQueueWait: 6
        case .memoryAvailableMinimum, .swapUsedMaximum: 3
        default: 2
        }
    }
}

/// What went on around a run, from its start to its end.
public struct RunEnvironment: Equatable, Sendable {
    /// What the run and the tool that measured it used themselves: what is left is others'.
    public struct OwnUse: Equatable, Sendable {
        /// CPU time of the run's processes and of the tool's, in seconds.
        public var cpuSeconds: Reading<Double>
        public var involuntarySwitches: Reading<Double>
        public var runQueueWaitSeconds: Reading<Double>

        /// A run's own use.
        public init(
            cpuSeconds: Reading<Double>,
            involuntarySwitches: Reading<Double> = .unavailable(reason: "not counted"),
            runQueueWaitSeconds: Reading<Double> = .unavailable(reason: "not counted")
        ) {
            self.cpuSeconds = cpuSeconds
            self.involuntarySwitches = involuntarySwitches
            self.runQueueWaitSeconds = runQueueWaitSeconds
        }
    }

    public var values: [RunEnvironmentKey: Reading<Double>]
    /// How the kernel chose frequencies; of several ways in the run each, joined by `, then `.
    public var governor: Reading<String>?

    /// Readings by key.
    public init(_ values: [RunEnvironmentKey: Reading<Double>] = [:], governor: Reading<String>? = nil) {
        self.values = values
        self.governor = governor
    }

    /// The reading of a key.
    public subscript(key: RunEnvironmentKey) -> Reading<Double> {
        get { values[key] ?? .unavailable(reason: "not recorded") }
        set { values[key] = newValue }
    }

    /// What two snapshots, and those taken in between, say of the time between them.
    public init(
        before: EnvironmentSnapshot, during: [ObservedEnvironment] = [], after: EnvironmentSnapshot,
        own: OwnUse
    ) {
        let all = [before.observed] + during + [after.observed]
        func extreme(_ key: ObservedKey, _ choose: ([Double]) -> Double?) -> Reading<Double> {
            choose(all.compactMap { $0[key].value }).map { .value($0) } ?? before.observed[key]
        }
        func growth(_ counter: EnvironmentCounter) -> Reading<Double> {
            after.growth(of: counter, since: before)
        }
        let others = RunEnvironment.others(busy: growth(.busyCPU), own: own.cpuSeconds)
        self.init(
            [
                .loadBefore: before.observed[.load],
                .loadMaximum: extreme(.load) { $0.max() },
                .memoryAvailableMinimum: extreme(.memoryAvailable) { $0.min() },
                .swapUsedMaximum: extreme(.swapUsed) { $0.max() },
                .frequencyMinimum: extreme(.frequency) { $0.min() },
                .frequencyMaximum: extreme(.frequency) { $0.max() },
                .steal: RunEnvironment.percent(growth(.stolenCPU), of: growth(.allCPU)),
                .othersCPU: others,
                .othersShare: RunEnvironment.percent(others, of: growth(.allCPU)),
                .stalledCPU: growth(.stalledCPU), .stalledMemory: growth(.stalledMemory),
                .stalledIO: growth(.stalledIO), .thermalThrottles: growth(.thermalThrottles),
                .quotaThrottled: growth(.quotaThrottled),
                .involuntarySwitches: own.involuntarySwitches, .runQueueWait: own.runQueueWaitSeconds,
            ], governor: RunEnvironment.governors(all))
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

    private static func governors(_ all: [ObservedEnvironment]) -> Reading<String>? {
        var names: [String] = []
        for name in all.compactMap({ $0.governor?.value }) where names.last != name { names.append(name) }
        return names.isEmpty ? all.first?.governor : .value(names.joined(separator: ", then "))
    }
}
