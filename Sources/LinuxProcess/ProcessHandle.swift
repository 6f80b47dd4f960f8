internal import CLinux
internal import Glibc
public import LinuxSystem
public import Measurement

/// A running process that need not be our child, held so that its number cannot come to mean another.
public struct ProcessHandle: ~Copyable, Sendable {
    /// The process identifier.
    public let pid: Int32
    /// Readable once the process has ended.
    public var descriptor: Int32 { file.rawValue }

    private let file: FileDescriptor

    /// A handle on a process that exists. The corresponding C call is `pidfd_open`.
    public init(pid: Int32) throws(SystemError) {
        let result = clinux_pidfd_open(pid)
        guard result >= 0 else { throw SystemError(action: "watch process \(pid)", code: -result) }
        self.pid = pid
        file = FileDescriptor(owning: result)
    }

    /// Whether the process has ended, or ends within a time.
    public func hasEnded(within timeout: Duration = .zero) throws(SystemError) -> Bool {
        try FileDescriptor.waitUntilReadable([descriptor], timeout: timeout)[0]
    }

    /// Sends the process a signal. One that has ended already is fine.
    public func send(_ signal: Int32) {
        clinux_pidfd_send_signal(descriptor, signal)
    }

    /// How the process ended, though it is not our child.
    ///
    /// The kernel reports one not yet waited for in `/proc/PID/stat`, and of one waited for through the ioctl
    /// PIDFD_GET_INFO, which Linux has from 6.15.
    public func exitStatus() -> Reading<ExitStatus> {
        var status: Int32 = 0
        let result = clinux_pidfd_exit_status(descriptor, &status)
        if result == 0 { return .value(ExitStatus(waitStatus: status)) }
        if let status = ProcessStat.ofProcess(pid)?.exitStatus { return .value(status) }
        // Between the two readings it may have been waited for.
        let second = clinux_pidfd_exit_status(descriptor, &status)
        if second == 0 { return .value(ExitStatus(waitStatus: status)) }
        return .unavailable(
            reason: "the kernel reports the exit status of another's child only from Linux 6.15 on")
    }
}

/// CPU-time clocks of other processes.
public enum ProcessClock {
    /// CPU time of a process, all its threads, those that have ended included; to the nanosecond.
    ///
    /// Nil when there is no such process. The corresponding C functions are `clock_getcpuclockid` and `clock_gettime`.
    public static func cpu(of pid: Int32) -> Duration? {
        // Larger numbers do not fit into a clock's identifier and would come to mean another clock.
        guard pid > 0, pid <= largestPID else { return nil }
        let result = clinux_process_cpu_nanoseconds(pid)
        return result >= 0 ? Duration(nanosecondCount: result) : nil
    }

    /// What CLOCK_MONOTONIC showed when a process started, to a clock tick (10 ms).
    public static func monotonicStart(of identity: ProcessIdentity) -> Int64 {
        let suspended = clinux_clock_nanoseconds(CLOCK_BOOTTIME) - SystemClock.monotonicNanoseconds
        return Int64(identity.startTicks) * (1_000_000_000 / ticksPerSecond) - suspended
    }

    /// PID_MAX_LIMIT of a 64-bit kernel.
    private static let largestPID: Int32 = 1 << 22
    private static let ticksPerSecond = Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))
}
