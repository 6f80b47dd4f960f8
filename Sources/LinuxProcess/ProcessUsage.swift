internal import LinuxSystem
public import Measurement

/// What a process has moved from and to storage, with what the children it has waited for had: `/proc/PID/io`.
public struct ProcessIO: Hashable, Sendable {
    /// Bytes fetched from storage on its behalf (`read_bytes`); what was in the page cache already is not among them.
    public var read: ByteCount
    /// Bytes made dirty in the page cache, to be written to storage (`write_bytes`).
    public var written: ByteCount

    /// The account of a process; nil when it is gone, or not ours to see.
    public static func ofProcess(_ pid: Int32) -> ProcessIO? {
        ProcFile.read("/proc/\(pid)/io").flatMap { parse($0) }
    }

    /// The account in the text of `/proc/PID/io`.
    public static func parse(_ bytes: [UInt8]) -> ProcessIO? {
        guard let read = ProcFile.number("read_bytes:", in: bytes),
            let written = ProcFile.number("write_bytes:", in: bytes)
        else { return nil }
        return ProcessIO(read: ByteCount(bytes: read), written: ByteCount(bytes: written))
    }
}

/// The text of `/proc/PID/status`, from which several things are taken.
public enum ProcessStatus {
    /// The text of a process; nil when it is gone.
    public static func text(of pid: Int32) -> [UInt8]? { ProcFile.read("/proc/\(pid)/status") }

    /// The process's name, as the kernel writes it here: with `\n` and `\\` for a line break and a backslash in it.
    public static func name(in text: [UInt8]) -> String? {
        let key = Array("Name:\t".utf8)
        guard text.starts(with: key) else { return nil }
        return NativeText.text(text.dropFirst(key.count).prefix { $0 != UInt8(ascii: "\n") })
    }
}

/// How often one thread has left the processor.
public struct ContextSwitches: Hashable, Sendable {
    /// To wait for something.
    public var voluntary: Int64
    /// Because another one was to run.
    public var involuntary: Int64

    /// Switches of both kinds.
    public init(voluntary: Int64, involuntary: Int64) {
        self.voluntary = voluntary
        self.involuntary = involuntary
    }

    /// The switches of a thread; nil when it is gone.
    public static func ofThread(_ thread: Int32, in pid: Int32) -> ContextSwitches? {
        ProcFile.read("/proc/\(pid)/task/\(thread)/status").flatMap { parse($0) }
    }

    /// The switches in the text of a thread's `status`. That of a process reports those of its first thread.
    public static func parse(_ bytes: [UInt8]) -> ContextSwitches? {
        guard let voluntary = ProcFile.number("voluntary_ctxt_switches:", in: bytes),
            let involuntary = ProcFile.number("nonvoluntary_ctxt_switches:", in: bytes)
        else { return nil }
        return ContextSwitches(voluntary: voluntary, involuntary: involuntary)
    }
}

/// How long one thread has run and how long it has waited for a processor: `/proc/PID/task/TID/schedstat`.
public struct ThreadSchedule: Hashable, Sendable {
    /// Time on a processor, in nanoseconds.
    public var runNanoseconds: Int64
    /// Time ready to run, while every processor it may use was taken, in nanoseconds.
    public var waitNanoseconds: Int64

    /// An account of two times, in nanoseconds.
    public init(runNanoseconds: Int64, waitNanoseconds: Int64) {
        self.runNanoseconds = runNanoseconds
        self.waitNanoseconds = waitNanoseconds
    }

    /// The account of a thread; nil when it is gone, or the kernel keeps none.
    public static func ofThread(_ thread: Int32, in pid: Int32) -> ThreadSchedule? {
        ProcFile.read("/proc/\(pid)/task/\(thread)/schedstat").flatMap { parse($0) }
    }

    /// The account in the text of a `schedstat`.
    public static func parse(_ bytes: [UInt8]) -> ThreadSchedule? {
        let fields = bytes.split { $0 == 0x20 || $0 == 0x0A }
        guard fields.count >= 3, let run = ProcFile.decimal(fields[0]),
            let wait = ProcFile.decimal(fields[1]),
            run >= 0, wait >= 0
        else { return nil }
        return ThreadSchedule(runNanoseconds: run, waitNanoseconds: wait)
    }
}

/// The threads of processes.
public enum ProcessThreads {
    /// The identifiers of a process's threads; empty when it is gone.
    public static func identifiers(of pid: Int32) -> [Int32] { ProcFile.numbers(in: "/proc/\(pid)/task") }
}

/// Memory by proportion: a page shared by n processes counts 1/n for each (`Pss`), so that the sum over the
/// processes of a tree counts shared pages once, as far as no process outside the tree shares them.
public enum ProportionalMemory {
    /// The proportional resident memory of a process, from `/proc/PID/smaps_rollup`; nil when it cannot be read.
    ///
    /// The kernel walks all pages of the process for it: about a millisecond for 100 MiB.
    public static func ofProcess(_ pid: Int32) -> ByteCount? {
        ProcFile.read("/proc/\(pid)/smaps_rollup").flatMap { parse($0) }
    }

    /// The memory in the text of a `smaps_rollup`.
    public static func parse(_ bytes: [UInt8]) -> ByteCount? {
        ProcFile.number("Pss:", in: bytes).map { .kibibytes($0) }
    }
}
