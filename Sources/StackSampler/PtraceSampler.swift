public import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Samples a process by the wall clock: what each thread runs, and what it waits for.
///
/// At random moments a thread of ours looks at each thread of the target and of its descendants. One that has not
/// run since its last sample is left alone, and that sample counts once more. Any other is stopped with ptrace,
/// registers and stack are copied, and it runs on before anything is unwound.
///
/// A thread is seized only for its stop and detached from right after it, so it is not traced at any other time: its
/// signals do not pass through us and its end is not delayed. When we are killed, the target runs on, even from the
/// middle of a stop: the kernel detaches, and SEIZE, unlike ATTACH, leaves nothing behind. When we are stopped (SIGSTOP,
/// Ctrl-Z), threads whose stop is under way stay stopped until we continue or are killed; the others run on.
///
/// What is missed: processes that live less than a tenth of a second, and threads that live less than a gap.
public struct PtraceSampler: ~Copyable {
    private let running: RunningSampler

    /// The name of this way of sampling, in the health of its profiles.
    public static let rung = "ptrace wall-clock"

    /// Samples a child from its start on.
    public static func attach(
        to child: borrowing SuspendedChild,
        _ configuration: WallClockConfiguration = WallClockConfiguration()
    ) throws(SamplerError) -> PtraceSampler {
        try attach(child.pid, isRunning: false, configuration)
    }

    /// Samples a process that runs already, with its threads and descendants.
    public static func attach(
        toRunning processID: Int32, _ configuration: WallClockConfiguration = WallClockConfiguration()
    ) throws(SamplerError) -> PtraceSampler {
        try attach(processID, isRunning: true, configuration)
    }

    private static func attach(
        _ processID: Int32, isRunning: Bool, _ configuration: WallClockConfiguration
    ) throws(SamplerError) -> PtraceSampler {
        let before = SystemClock.threadCPU
        try PtraceAccess.check(processID)
        var health = SamplerHealth(rung: rung)
        health.stackBytes = configuration.clampedStackBytes
        health.includesKernelTime = true
        health.stops = StopAccount()
        let loop = PtraceLoop(root: processID, isRunning: isRunning, configuration, health)
        loop.cpu = SystemClock.threadCPU - before
        return PtraceSampler(running: try RunningSampler.start(loop))
    }

    /// Ends the sampling and hands over what was seen. No thread is left stopped or traced.
    public consuming func finish() -> RawProfile {
        running.stop()
        return running.takeProfile()
    }
}
