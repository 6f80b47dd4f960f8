/// How a process is sampled by the wall clock.
public struct WallClockConfiguration: Hashable, Sendable {
    /// Samples of each thread per second, 1 to 1000, on average: the gaps are random, so that nothing the target does
    /// at regular times is always or never hit.
    public var rateHertz = 100
    /// The most of a thread's time that it may be kept stopped, 0.0001 to 1. A thread that costs more is sampled
    /// less often, and each of its samples stands for more.
    public var stopBudget = 0.01
    /// Bytes of stack copied at first, and at most when stacks turn out to be deeper, 4 KiB to 16 MiB.
    public var stackBytes = 32 << 10
    public var maximumStackBytes = 1 << 20
    /// How long a thread may take to stop before others have their turn; it is copied when it does.
    public var patience = Duration.microseconds(500)
    /// Whether running threads are looked at by perf events, where the kernel allows it, and not stopped.
    public var usesPerfEvents = true
    /// Whether threads that wait are left out: for CPU time they need no look at all.
    public var samplesRunningOnly = false
    /// The limits of frames, samples and memory. Rate, stack and ring sizes there are of perf events and not used.
    public var limits = SamplerConfiguration()

    /// The most samples of each thread per second.
    public static let maximumRateHertz = 1000

    /// The default configuration.
    public init() {}

    /// Wall-clock time between two samples of a thread on average, in nanoseconds: what a weight of 1 stands for.
    public var periodNanoseconds: Int64 {
        1_000_000_000 / Int64(min(max(rateHertz, 1), Self.maximumRateHertz))
    }

    var clampedBudget: Double { min(max(stopBudget, 0.0001), 1) }
    var clampedStackBytes: Int { min(max(stackBytes, 4 << 10), 16 << 20) }
    var clampedMaximumStackBytes: Int { min(max(maximumStackBytes, clampedStackBytes), 16 << 20) }
}
