public import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Samples the CPU time of a process, all its threads and all it starts, without ever stopping it.
///
/// The kernel copies registers and stack at each tick of a CPU clock; a thread of ours unwinds them with libunwind
/// as they come and keeps what is distinct. Dropping the sampler ends the sampling and leaves the target alone.
public struct PerfSampler: ~Copyable {
    private let running: RunningSampler

    /// The name of this way of sampling, in the health of its profiles.
    public static let rung = "perf cpu-clock"
    /// The same, where the hardware's cycles are counted.
    public static let cyclesRung = "perf cycles"

    /// Samples a child from its first instruction on. Call it before the child is released.
    public static func attach(
        to child: borrowing SuspendedChild, _ configuration: SamplerConfiguration = SamplerConfiguration()
    ) throws(SamplerError) -> PerfSampler {
        let cpuBefore = SystemClock.threadCPU
        let events = try PerfEventSet(processID: child.pid, configuration, startsOnExec: true)
        let collector = collector(configuration, events, root: child.pid, members: [], awaitsExec: true)
        collector.expect(child.pid)
        try events.enable()
        return try start(
            SamplerLoop(
                events, collector, root: child.pid, configuration,
                setupCPU: SystemClock.threadCPU - cpuBefore))
    }

    /// Samples a process that runs already, with its threads and descendants.
    public static func attach(
        toRunning processID: Int32, _ configuration: SamplerConfiguration = SamplerConfiguration()
    ) throws(SamplerError) -> PerfSampler {
        guard processID > 0 else { throw .noSuchProcess(pid: processID) }
        let cpuBefore = SystemClock.threadCPU
        let events = try PerfEventSet(processID: processID, configuration, startsOnExec: false)
        let watched = try events.addFamily(
            of: processID, watchedAlready: [ProcessListing.firstRunnable(of: processID)])
        let collector = collector(
            configuration, events, root: processID, members: watched, awaitsExec: false)
        // From here on mappings are recorded; what is there already is read now, so nothing falls between.
        try events.enable()
        for processID in watched { collector.seed(processID) }
        return try start(
            SamplerLoop(
                events, collector, root: processID, configuration,
                setupCPU: SystemClock.threadCPU - cpuBefore))
    }

    private static func collector(
        _ configuration: SamplerConfiguration, _ events: PerfEventSet, root: Int32, members: [Int32],
        awaitsExec: Bool
    ) -> SampleCollector {
        SampleCollector(
            configuration, root: root, ownership: events.ownership,
            membership: events.scope == .cpus
                ? FamilyMembership(root: root, members: members, awaitsExec: awaitsExec) : nil,
            health: health(of: events, configuration))
    }

    /// Ends the sampling and hands over what was seen.
    public consuming func finish() -> RawProfile {
        running.stop()
        return running.takeProfile()
    }

    private static func start(_ loop: sending SamplerLoop) throws(SamplerError) -> PerfSampler {
        PerfSampler(running: try RunningSampler.start(loop))
    }

    private static func health(of events: PerfEventSet, _ configuration: SamplerConfiguration)
        -> SamplerHealth
    {
        var health = SamplerHealth(rung: events.countsCycles ? cyclesRung : rung)
        health.ringBytes = events.ringBytes
        health.ringBytesWanted = configuration.ringBytes
        health.cpus = events.cpus.count
        health.watchesCPUs = events.scope == .cpus
        health.stackBytes = events.extent.bytes
        health.includesKernelTime = events.includesKernelTime
        if let reason = events.refusalOfCycles {
            health.note("Cycles could not be counted (\(reason)): the CPU clock was used.")
        }
        if let refusal = events.refusalOfCPUs {
            health.lacksRingMemory = true
            health.note(
                "Threads were sampled one by one, which misses short ones: other samplers of this user hold the memory. "
                    + refusal.description)
        }
        if let refusal = events.refusalOfCounters {
            health.note("The kernel's count of CPU time could not be had. \(refusal.description)")
        }
        if configuration.includesKernelTime && !events.includesKernelTime {
            health.note(
                "Time in the kernel was not sampled: kernel.perf_event_paranoid would have to be 1 or less.")
        }
        return health
    }
}
