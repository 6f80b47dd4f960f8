internal import CLinux
internal import Glibc
public import LinuxSystem

/// Counts something of some threads and of all threads and processes that they start from then on, those that have
/// ended included: a counting perf event, inherited.
///
/// What a process does while it is being made and taken apart is missing. The CPU time lacks 0.2 ms for each that is
/// forked, 0.7 ms for each that runs Python, and on a virtual machine it may include time stolen by the host: so it is
/// a means to find how time passed between two moments, not an account of its own.
public struct TreeCounter: ~Copyable {
    /// What is counted.
    public enum Event: Int32, Sendable {
        /// CPU time, in nanoseconds.
        case taskClock
        /// Page faults in user mode. Every kernel counts them.
        case pageFaults
        /// Instructions that the CPU has retired in user mode. Not every machine has a counter for them.
        case instructions
    }

    private var events: [Int32]

    /// A counter of all present threads of some processes.
    public init(_ event: Event, processes: [Int32]) throws(SystemError) {
        events = []
        for process in processes {
            for thread in ProcessThreads.identifiers(of: process) {
                let result = clinux_open_counter(event.rawValue, thread)
                // A thread that has ended meanwhile is none to be counted.
                if result == -ESRCH { continue }
                guard result >= 0 else {
                    throw SystemError(action: "count what process \(process) does", code: -result)
                }
                events.append(result)
            }
        }
    }

    deinit {
        for event in events { close(event) }
    }

    /// What has been counted so far; nil when an event cannot be read.
    public func count() -> CounterReading? {
        var sum = CounterReading(value: 0, enabled: 0, running: 0)
        for event in events {
            var counts: (value: Int64, enabled: Int64, running: Int64) = (0, 0, 0)
            let size = MemoryLayout.size(ofValue: counts)
            guard read(event, &counts, size) == size else { return nil }
            guard
                let one = CounterReading(
                    value: counts.value, enabled: counts.enabled, running: counts.running
                )
                .estimated
            else { return nil }
            sum.value += one
            sum.enabled += counts.enabled
            sum.running += counts.running
        }
        return sum
    }
}

/// A count, and for how much of its time the counter was at work.
public struct CounterReading: Equatable, Sendable {
    public var value: Int64
    /// For how long there was something to count, in nanoseconds.
    public var enabled: Int64
    /// For how long it was counted. Less, when more was to be counted on the CPU than it has counters.
    public var running: Int64

    /// A reading.
    public init(value: Int64, enabled: Int64, running: Int64) {
        self.value = value
        self.enabled = enabled
        self.running = running
    }

    /// The share of the time that was counted, 0 to 1.
    public var coverage: Double { enabled > 0 ? min(1, Double(running) / Double(enabled)) : 1 }

    /// The count as it would be had all the time been counted; nil when none of it was.
    public var estimated: Int64? {
        if running >= enabled { return value }
        return running > 0 ? Int64((Double(value) / Double(running) * Double(enabled)).rounded()) : nil
    }
}
