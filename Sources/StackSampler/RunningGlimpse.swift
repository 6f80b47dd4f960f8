internal import CPerfEvents
internal import LinuxSystem

/// One look at a thread that runs, without stopping it: a perf event that takes a single sample as soon as the thread has
/// used a little more of a CPU. Used by one thread only.
///
/// A stop by ptrace would do as well, but a thread that is about to block when it is stopped finds its system call
/// interrupted (EINTR), as nothing but a signal would have done.
final class RunningGlimpse {
    private let event: FileDescriptor
    private let ring: PerfRing

    /// Room for one record.
    private static let ringBytes = 128 << 10
    /// The CPU time after which the sample is taken, in nanoseconds: the least that the kernel's timer allows.
    static let soonest: UInt64 = 10_000
    /// The most bytes of stack that a record can hold.
    static let mostStackBytes = 62 << 10

    /// Looks at a thread.
    ///
    /// - Parameter period: The CPU time after which the sample is taken, in nanoseconds.
    init(
        threadID: Int32, stackBytes: Int, includesKernel: Bool, period: UInt64 = soonest
    ) throws(SystemError) {
        var request = cperf_request(
            pid: threadID, cpu: -1, is_counter: 0, is_glimpse: 1, period: period, counts_cycles: 0,
            stack_bytes: UInt32(min(stackBytes, Self.mostStackBytes) & ~7), has_chain: 0, wakeup_bytes: 1,
            wakes_readers: 0, samples_only: 0, enable_on_exec: 0, includes_kernel: includesKernel ? 1 : 0,
            build_ids: 0)
        let descriptor = cperf_open(&request)
        guard descriptor >= 0 else {
            throw SystemError(action: "open a perf event", code: -descriptor)
        }
        event = FileDescriptor(owning: descriptor)
        ring = try PerfRing(event: descriptor, capacity: Self.ringBytes)
        let result = cperf_refresh(descriptor)
        guard result == 0 else { throw SystemError(action: "start a perf event", code: -result) }
    }

    /// Waits for a moment until the thread has run. Returns what was seen; nil where it was not.
    func wait() -> PerfSample? {
        do throws(SystemError) {
            guard try FileDescriptor.waitUntilReadable([ring.descriptor], timeout: .milliseconds(2))[0] else {
                return nil
            }
            return sample()
        } catch {
            // It is seen later.
            return nil
        }
    }

    /// What was seen; nil until the thread has run. Valid as long as this object.
    func sample() -> PerfSample? {
        ring.refresh()
        guard let bytes = ring.front(), case .sample(let sample)? = PerfRecord(bytes) else { return nil }
        return sample
    }
}
