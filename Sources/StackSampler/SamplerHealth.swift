internal import Measurement

/// How far a profile can be trusted: what was wanted, what came, what it cost.
///
/// All counts are of samples unless they say otherwise.
public struct SamplerHealth: Hashable, Sendable {
    /// What took the samples, such as `perf cpu-clock`.
    public var rung: String
    /// Taken by the kernel, whether or not they reached us: `received + lost`.
    public var attempted: Int { received + lost }
    /// Read from the rings.
    public var received = 0
    /// Kept in the profile.
    public var recorded = 0
    /// Dropped by the kernel because a ring was full; by the wall clock, moments of a thread that no sample stands for.
    public var lost = 0
    /// Whose stack went on beyond the copied memory or the limit of frames.
    public var truncated = 0
    /// Of which: at the most frames that are walked.
    public var cutAtFrameLimit = 0
    /// With more frames than are kept: their middle is left out.
    public var withFramesLeftOut = 0
    /// Whose stack ended where no caller could be found, loops included.
    public var unwindFailed = 0
    /// Cut because the stack pointer did not grow from a frame to its caller.
    public var loopsCut = 0
    /// With at least one frame found without call-frame information.
    public var withGuessedFrames = 0
    /// Whose stack went on beyond the copied memory, and was followed there by the chain of frame pointers. Those that it
    /// did not lead to the program's beginning are truncated all the same.
    public var continuedByFramePointers = 0
    /// Times that more stack was copied with each sample from then on, because too many were truncated.
    public var enlargements = 0
    /// Whether threads were sampled one by one because the memory for sampling CPUs was refused.
    public var lacksRingMemory = false
    /// Threads that ended without a sample: perf events count each thread's time from its start, so one that ends
    /// sooner than a period is never seen. Many of them hide time that is not counted.
    public var endedUnsampled = 0
    /// Without a stack of the program: at the end of a thread, for instance, where its memory is gone already.
    public var withoutStack = 0
    /// Of which: of threads in 32-bit mode.
    public var in32BitMode = 0
    /// Of other processes, which ran on the CPUs that were sampled.
    public var foreign = 0
    /// What became of the Python frames of samples; nil where nothing ran Python.
    public var python: PythonAccount?
    /// The sampled CPU time beside the kernel's own clocks; nil where nothing was compared.
    public var clocks: ClockComparison?
    /// Left out because the profile had reached its limit.
    public var beyondLimit = 0
    /// Kept as `[stack not kept]`, because the limit of distinct stacks was reached.
    public var stacksBeyondLimit = 0
    /// Times the kernel throttled the events. Each hides samples that are not counted.
    public var throttled = 0
    /// Records from the kernel that could not be read.
    public var unreadableRecords = 0
    /// Bytes of ring per CPU, after refusals.
    public var ringBytes = 0
    /// Bytes of ring per CPU that were asked for.
    public var ringBytesWanted = 0
    /// Whether whatever runs on a CPU was sampled and the target picked out of it.
    public var watchesCPUs = false
    /// CPUs with a ring.
    public var cpus = 0
    /// Bytes of stack copied with each sample, in the end.
    public var stackBytes = 0
    /// Whether time in the kernel was sampled.
    public var includesKernelTime = false
    /// How the threads were stopped, by samplers that stop them.
    public var stops: StopAccount?
    /// CPU time of the sampler: its thread, and setting it up.
    public var samplerCPU: Duration = .zero
    /// What else went wrong, as sentences, at most `problemLimit` of them.
    public private(set) var problems: [String] = []
    /// Problems that were not kept as sentences.
    public private(set) var furtherProblems = 0

    /// The most sentences kept.
    public static let problemLimit = 20

    /// The target's share of lost samples. Where whatever runs on a CPU is sampled, a record of losses does not name whose
    /// they were: they are divided as the samples that arrived.
    func share(ofLost lost: Int) -> Int {
        guard foreign > 0 else { return lost }
        return Int((Double(lost) * Double(received) / Double(received + foreign)).rounded(.up))
    }

    /// The health of a sampler that has not begun.
    public init(rung: String) {
        self.rung = rung
    }

    /// Notes a problem, once.
    public mutating func note(_ problem: String) {
        if problems.contains(problem) { return }
        if problems.count < Self.problemLimit { problems.append(problem) } else { furtherProblems += 1 }
    }
}

/// CPU time by the kernel's clocks, and by samples.
public struct ClockComparison: Hashable, Sendable {
    /// CPU time of the target by the kernel's clocks.
    public var kernel: Duration
    /// Samples times their period.
    public var sampled: Duration
    /// Of the commands of which more is missing than chance explains: by name, the largest first. The profile shows it as
    /// `[not sampled]`.
    public var missing: [MissingTime]

    /// CPU time of a command that no sample stands for.
    public struct MissingTime: Hashable, Sendable {
        /// The command's name: untrusted text of up to 15 bytes.
        public var command: String
        public var time: Duration

        public init(command: String, time: Duration) {
            self.command = command
            self.time = time
        }
    }

    public init(kernel: Duration, sampled: Duration, missing: [MissingTime]) {
        self.kernel = kernel
        self.sampled = sampled
        self.missing = missing
    }

    /// How much of the kernel's time the samples stand for; nil where there is none.
    public var sampledShare: Double? {
        kernel > .zero ? Double(sampled.inNanoseconds) / Double(kernel.inNanoseconds) : nil
    }
}

/// What stopping the target's threads came to.
public struct StopAccount: Hashable, Sendable {
    /// Times that a thread was stopped.
    public var count = 0
    /// How long threads stood still for it, all together and the longest: upper bounds.
    public var total = Duration.zero
    public var longest = Duration.zero
    /// Samples of threads that had not run since their last one, taken without a stop.
    public var spared = 0
    /// Samples of threads in an uninterruptible or stopped state, recognised from `/proc` without a stop.
    public var fromOutside = 0
    /// Samples of running threads, taken by perf events without a stop.
    public var glimpses = 0
    /// Samples put off because the thread had used up its budget of stopped time. The next one stands for them.
    public var deferredByBudget = 0
    /// Threads that did not stop in time: they were copied later, when they did.
    public var slow = 0
    /// Threads that the kernel did not let us stop.
    public var refused = 0
    /// System calls that failed with EINTR because of a stop, as a few do (ptrace(2), "Bugs").
    public var interruptedCalls = 0
    /// Signals that met a stop and were passed on.
    public var signalsPassedOn = 0
    /// Moments of the schedule that came while the sampler was busy or kept from the CPU. The next sample stands for them.
    public var late = 0

    /// Nothing stopped yet.
    public init() {}
}
