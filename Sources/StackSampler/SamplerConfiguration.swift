/// How a process is sampled.
public struct SamplerConfiguration: Hashable, Sendable {
    /// Samples per second of CPU time, 1 to 10,000. The default is a prime, so that it does not beat with
    /// timers of the target.
    public var rateHertz = 997
    /// Bytes of stack copied with each sample at first, and at most when too many stacks turn out to be deeper, 1 KiB to
    /// 62 KiB. More reaches the roots of deeper stacks, costs the target more, and leaves room for fewer samples in the
    /// rings. A perf record cannot hold 64 KiB.
    public var stackBytes = 8 << 10
    public var maximumStackBytesOfSample = 62 << 10
    /// What decides when a sample is due.
    public var event = Event.cpuClock
    /// The most frames kept of one stack. Of deeper ones, which are counted, the middle is left out.
    public var maximumFrames = 2048
    /// Bytes of ring buffer for each CPU, rounded down to a power of two; halved for as long as the kernel refuses.
    /// 4 MiB hold 500 samples: half a second in which the sampler may be kept from the CPU; 66 of the largest.
    public var ringBytes = 4 << 20
    /// Bytes that the rings of a machine with few CPUs share, where that is more for each: there the sampler is kept from a CPU
    /// longer. On two CPUs the target may keep it waiting for two seconds.
    public var sharedRingBytes = 32 << 20
    /// Rows of call-frame information remembered for each process, 256 bytes each once used, rounded up to a power
    /// of two. One for each address in its stacks is what makes unwinding cheap.
    public var cachedRows = 16_384
    /// The most samples kept, 24 bytes each. Further ones are counted and dropped: what a run of days may cost.
    public var maximumSamples = 40_000_000
    /// The most bytes of distinct stacks kept, 4 for each frame. Samples whose stack does not fit any more are
    /// kept with an empty one, which is counted.
    public var maximumStackBytes = 512 << 20
    /// Whether time in the kernel is sampled, and counted for the code that made the system call. It needs
    /// `kernel.perf_event_paranoid` at 1 or less; where that is refused, user time alone is sampled and the
    /// health says so.
    public var includesKernelTime = false

    /// Whether whatever runs on a CPU is sampled and the target picked out of it, where the kernel allows it: to root, with
    /// CAP_PERFMON, or at `kernel.perf_event_paranoid` 0 and less. Only so are short threads and processes sampled as
    /// often as long ones. Elsewhere, and without this, threads are sampled one by one.
    public var watchesCPUs = true

    /// Whether the functions of Python processes are read at each sample.
    public var readsPython = true
    /// How long a reader waits before it reads, and whether what it reads has to be proven: not for use, but to show what
    /// late readings come to, with and without the proof.
    var pythonReadingDelay = Duration.zero
    var provesPython = true

    /// What decides when a sample is due.
    public enum Event: String, Hashable, Sendable, CaseIterable {
        /// CPU time: every sample stands for the same.
        case cpuClock = "cpu-clock"
        /// Cycles of the CPU, counted by its hardware: every sample stands for the same number, as many as a period has at
        /// the speed that is found at the start. Its interrupts also reach code that holds off the clock's. Where there is
        /// no such counter, as in most virtual machines, the CPU clock is used and the health says so.
        case cycles
    }

    /// The default configuration.
    public init() {}

    /// CPU time between two samples of a thread, in nanoseconds: what one sample stands for.
    public var periodNanoseconds: Int64 { 1_000_000_000 / Int64(min(max(rateHertz, 1), 10_000)) }

    /// The stack size in the range and granularity that perf events take.
    var clampedStackBytes: Int { min(max(stackBytes, 1024), 62 << 10) & ~7 }
    var clampedMaximumStackBytes: Int {
        min(max(maximumStackBytesOfSample, clampedStackBytes), 62 << 10) & ~7
    }
}
