internal import CLinux
internal import Glibc
public import Measurement

/// The kernel's clocks.
public enum SystemClock {
    /// Nanoseconds of CLOCK_MONOTONIC: the clock of intervals, and of perf samples. Never steps.
    public static var monotonicNanoseconds: Int64 { nanoseconds(CLOCK_MONOTONIC) }

    /// The wall clock's moment.
    public static var now: Timestamp { Timestamp(nanosecondsSinceEpoch: nanoseconds(CLOCK_REALTIME)) }

    /// CPU time of this process, all its threads, its children not counted.
    public static var processCPU: Duration {
        Duration(nanosecondCount: nanoseconds(CLOCK_PROCESS_CPUTIME_ID))
    }

    /// CPU time of the calling thread.
    public static var threadCPU: Duration {
        Duration(nanosecondCount: nanoseconds(CLOCK_THREAD_CPUTIME_ID))
    }

    /// CPU time of the children that this process has waited for. The corresponding C function is `getrusage`.
    public static var waitedChildrenCPU: Duration {
        Duration(nanosecondCount: clinux_waited_children_cpu_nanoseconds())
    }

    /// Lets the calling thread sleep; a signal does not cut it short.
    public static func sleep(for duration: Duration) {
        sleep(untilMonotonicNanoseconds: monotonicNanoseconds + max(0, duration.inNanoseconds))
    }

    /// Lets the calling thread sleep until an absolute moment, so that a schedule does not drift.
    public static func sleep(untilMonotonicNanoseconds deadline: Int64) {
        clinux_sleep_until(deadline)
    }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 { clinux_clock_nanoseconds(clock) }
}
