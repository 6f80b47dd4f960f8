internal import CLinux
internal import Glibc
public import LinuxSystem

/// Counts the CPU time of some threads and of all threads and processes that they start from then on, to the
/// nanosecond and including those that have ended: a counting perf event, inherited.
///
/// It misses what a process uses while it is being made and taken apart, about a tenth of a millisecond each, and on
/// a virtual machine it may include time stolen by the host: so it is a means to tell how time passed between two
/// moments, not an account of its own.
public struct TaskClock: ~Copyable {
    private var events: [Int32]

    /// A clock of all present threads of some processes.
    public init(processes: [Int32]) throws(SystemError) {
        events = []
        for process in processes {
            for thread in ProcessThreads.identifiers(of: process) {
                let result = clinux_open_task_clock(thread)
                // A thread that has ended meanwhile is none to be counted.
                if result == -ESRCH { continue }
                guard result >= 0 else {
                    throw SystemError(action: "count the CPU time of process \(process)", code: -result)
                }
                events.append(result)
            }
        }
    }

    deinit {
        for event in events { close(event) }
    }

    /// The time counted so far, in nanoseconds; nil when an event cannot be read.
    public func nanoseconds() -> Int64? {
        var sum: Int64 = 0
        for event in events {
            var count: Int64 = 0
            guard read(event, &count, MemoryLayout<Int64>.size) == MemoryLayout<Int64>.size else {
                return nil
            }
            sum += count
        }
        return sum
    }
}
