internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Reads proportional memory at edges, as long as that costs next to nothing: the kernel walks all pages of the
/// processes, and holds up what they want to map meanwhile.
struct ProportionalReader {
    private(set) var largest: ByteCount?
    private var nextAllowed: Int64 = 0
    private var hasFailed = false

    /// So many times as long as a reading took nothing is read after it, and never less than a pause.
    private static let rest: Int64 = 50
    private static let shortestPause: Int64 = 100_000_000

    /// Why a stage has none.
    var problem: String {
        hasFailed
            ? "the kernel did not let /proc/PID/smaps_rollup of every process be read"
            : "it is read at edges only, and not where they follow each other fast"
    }

    /// The memory now, nil where it cannot be read or would cost too much.
    mutating func read(_ reading: () -> ByteCount?) -> ByteCount? {
        let start = SystemClock.monotonicNanoseconds
        guard start >= nextAllowed else { return nil }
        let size = reading()
        let end = SystemClock.monotonicNanoseconds
        nextAllowed = end + max(Self.shortestPause, (end - start) * Self.rest)
        guard let size else {
            hasFailed = true
            return nil
        }
        largest = max(largest ?? .zero, size)
        return size
    }
}

/// What the kernel reports to the process that waits for a run; nil where no process has waited.
struct WaitedUsage: Equatable {
    var cpu: Duration?
    var peak: ByteCount?
    var usage: ChildProcess.Usage?
    /// When the run was over, CLOCK_MONOTONIC in nanoseconds: on a busy machine the monitor hears of it later.
    var ended: Int64?
}
